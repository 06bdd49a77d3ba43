using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;
using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport.Diagnostics;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Client.Native;

/// <summary>
/// Says whether anybody listens to what only grpc-dotnet tells of a call: by detailed logs, spans, events or metrics.
/// Such calls are made by grpc-dotnet, which tells all of it.
/// </summary>
internal sealed class NativeListeners(
    ClientDiagnostics diagnostics, CallLoggers? loggers, ILogger[] requestLoggers)
{
    private const string SourceName = "Grpc.Net.Client";
    private const int MostLooks = 256;

    private static readonly ActivitySource Spans =
        ContextUnloading.DisposeWith(typeof(NativeListeners).Assembly, new ActivitySource(SourceName));

    private static readonly DiagnosticListener Events =
        ContextUnloading.DisposeWith(typeof(NativeListeners).Assembly, new DiagnosticListener(SourceName));

    // grpc-dotnet's own, which it makes when its first call begins.
    private static EventSource? s_counters;
    private static int s_looks;

    /// <summary>True if anybody listens to a call that begins now.</summary>
    public bool AreThere =>
        diagnostics.IsHeard
        || loggers is { AreDetailed: true }
        || Array.Exists(requestLoggers, static logger => logger.IsEnabled(LogLevel.Information))
        || Spans.HasListeners()
        || Events.IsEnabled()
        || AreCountersHeard;

    // Whoever waits for the source begins to listen when it is made, which must not be later than the first call that
    // is framed here. In a version of grpc-dotnet that makes it otherwise, its own first call does so.
    private static bool AreCountersHeard
    {
        get
        {
            if (s_counters is { } known)
            {
                return known.IsEnabled();
            }

            // In a program that was published without events there never is a source.
            if (Volatile.Read(ref s_looks) >= MostLooks)
            {
                return false;
            }

            Interlocked.Increment(ref s_looks);
            if (Type.GetType("Grpc.Net.Client.Internal.GrpcEventSource, Grpc.Net.Client") is { } type)
            {
                // Waits for another thread that is about to make the source.
                RuntimeHelpers.RunClassConstructor(type.TypeHandle);
            }

            s_counters = EventSource.GetSources().FirstOrDefault(static source => source.Name == SourceName);
            return s_counters?.IsEnabled() ?? true;
        }
    }
}
