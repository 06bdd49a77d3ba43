using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;

namespace GrpcShm.AspNetCore.Diagnostics;

/// <summary>
/// Writes to Kestrel's event source what Kestrel does of requests that it sees: it sees no calls in direct mode.
/// Whoever listens there hears of those, too.
/// </summary>
internal static class KestrelEvents
{
    public const string SourceName = "Microsoft-AspNetCore-Server-Kestrel";

    private const string Core = "Microsoft.AspNetCore.Server.Kestrel.Core";
    private const string SourceType = $"{Core}.Internal.Infrastructure.KestrelEventSource, {Core}";
    private const string HttpVersion = "HTTP/2";

    // Made with Kestrel's first connection, so it is there when the first call is.
    private static readonly EventSource? Source = EventSource.GetSources().FirstOrDefault(
        static source => source.Name == SourceName);

    private static volatile bool _isUnknown;

    /// <summary>Whether anybody listens.</summary>
    public static bool AreHeard =>
        !_isUnknown && Source is { } source && source.IsEnabled(EventLevel.Informational, EventKeywords.None);

    /// <summary>The application is about to run.</summary>
    public static void WriteRequestStarted(string connectionId, string requestId, string path, string method) =>
        Tell(hasStopped: false, connectionId, requestId, path, method);

    /// <summary>The application has run.</summary>
    public static void WriteRequestStopped(string connectionId, string requestId, string path, string method) =>
        Tell(hasStopped: true, connectionId, requestId, path, method);

    private static void Tell(bool hasStopped, string connectionId, string requestId, string path, string method)
    {
        try
        {
            if (hasStopped)
            {
                RequestStop(Source!, connectionId, requestId, HttpVersion, path, method);
            }
            else
            {
                RequestStart(Source!, connectionId, requestId, HttpVersion, path, method);
            }
        }
        catch (Exception exception) when (exception is MissingMemberException or TypeLoadException)
        {
            // A version of Kestrel that is built otherwise. Its listeners do without, and a test of ours says so
            // before.
            _isUnknown = true;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "RequestStart")]
    private static extern void RequestStart(
        [UnsafeAccessorType(SourceType)] object source, string connectionId, string requestId, string httpVersion, string path, string method);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "RequestStop")]
    private static extern void RequestStop(
        [UnsafeAccessorType(SourceType)] object source, string connectionId, string requestId, string httpVersion, string path, string method);
}
