using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;

namespace GrpcShm.AspNetCore.Diagnostics;

/// <summary>
/// Writes the start and the end of calls in direct mode to Kestrel's event source, as Kestrel does for the requests
/// that it sees: it sees no calls in direct mode.
/// </summary>
internal static class KestrelEvents
{
    public const string SourceName = "Microsoft-AspNetCore-Server-Kestrel";

    private const string Core = "Microsoft.AspNetCore.Server.Kestrel.Core";
    private const string SourceType = $"{Core}.Internal.Infrastructure.KestrelEventSource, {Core}";
    private const string HttpVersion = "HTTP/2";

    // Kestrel makes the source with its first connection, so it exists before the first call.
    private static readonly EventSource? Source = EventSource.GetSources().FirstOrDefault(
        static source => source.Name == SourceName);

    private static volatile bool _isUnknown;

    /// <summary>True if anybody listens.</summary>
    public static bool AreHeard =>
        !_isUnknown && Source is { } source && source.IsEnabled(EventLevel.Informational, EventKeywords.None);

    /// <summary>Writes that the application is about to run.</summary>
    public static void WriteRequestStarted(string connectionId, string requestId, string path, string method) =>
        Write(hasStopped: false, connectionId, requestId, path, method);

    /// <summary>Writes that the application has run.</summary>
    public static void WriteRequestStopped(string connectionId, string requestId, string path, string method) =>
        Write(hasStopped: true, connectionId, requestId, path, method);

    private static void Write(bool hasStopped, string connectionId, string requestId, string path, string method)
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
            // This version of Kestrel has no such methods. Its listeners go without these events. A test of this
            // library fails first.
            _isUnknown = true;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "RequestStart")]
    private static extern void RequestStart(
        [UnsafeAccessorType(SourceType)] object source,
        string connectionId,
        string requestId,
        string httpVersion,
        string path,
        string method);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "RequestStop")]
    private static extern void RequestStop(
        [UnsafeAccessorType(SourceType)] object source,
        string connectionId,
        string requestId,
        string httpVersion,
        string path,
        string method);
}
