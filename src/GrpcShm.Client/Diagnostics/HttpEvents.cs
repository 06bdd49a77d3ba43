using System.Diagnostics.Tracing;
using System.Net;
using System.Runtime.CompilerServices;

namespace GrpcShm.Client.Diagnostics;

/// <summary>
/// Writes to the event source <c>System.Net.Http</c> the steps of a request and the life of a connection, which there
/// <see cref="SocketsHttpHandler"/> writes. That a request starts and stops is written by whoever calls a handler, any
/// handler.
/// </summary>
internal static class HttpEvents
{
    private const string SourceType = "System.Net.Http.HttpTelemetry, System.Net.Http";
    private const int MajorVersion = 2;

    // Made by the first request of the process, before it comes to any handler.
    private static readonly EventSource? Source = EventSource.GetSources().FirstOrDefault(
        static source => source.Name == ClientDiagnostics.SourceName && source.GetType().Assembly == typeof(HttpMessageInvoker).Assembly);

    // .NET counts its connections from 0 upwards. Another copy of this library in the process, as a plug-in may have
    // it, starts elsewhere.
    private static long s_lastConnection = -(Random.Shared.NextInt64(1L << 40) << 20);

    private static volatile bool _isUnknown;

    /// <summary>Whether anybody listens.</summary>
    public static bool AreHeard => !_isUnknown && Source is { } source && source.IsEnabled();

    /// <summary>Finds a number for a connection that no other of this process has, in direct mode or in HTTP.</summary>
    public static long NextConnection() => Interlocked.Decrement(ref s_lastConnection);

    /// <summary>A connection was made.</summary>
    public static void ConnectionEstablished(long connection, Uri endPoint) => Write(
        (connection, endPoint),
        static (source, to) => Http20ConnectionEstablished(source, to.connection, to.endPoint.Scheme, to.endPoint.IdnHost, to.endPoint.Port, null));

    /// <summary>A connection that was told of has ended.</summary>
    public static void ConnectionClosed(long connection) =>
        Write(connection, static (source, connection) => Http20ConnectionClosed(source, connection));

    /// <summary>A request has waited for a connection.</summary>
    public static void LeftQueue(TimeSpan duration) =>
        Write(duration, static (source, duration) => RequestLeftQueue(source, MajorVersion, duration));

    /// <summary>
    /// A request begins on a connection. Its headers and its content go in one frame, where .NET writes one after the
    /// other and waits for the response meanwhile; so all this is told before, as long as no response can have come.
    /// </summary>
    public static void Begun(long connection) => Write(connection, static (source, connection) =>
    {
        RequestHeadersStart(source, connection);
        RequestHeadersStop(source);
        RequestContentStart(source);
        ResponseHeadersStart(source);
    });

    /// <summary>All of the content has been written.</summary>
    public static void ContentWritten(long bytes) =>
        Write(bytes, static (source, bytes) => RequestContentStop(source, bytes));

    /// <summary>The response has come.</summary>
    public static void Responded(HttpStatusCode status) =>
        Write((int)status, static (source, status) => ResponseHeadersStop(source, status));

    private static void Write<TState>(TState state, Action<EventSource, TState> write)
    {
        if (!AreHeard)
        {
            return;
        }

        try
        {
            write(Source!, state);
        }
        catch (Exception exception) when (exception is MissingMemberException or TypeLoadException)
        {
            // A version of .NET that is built otherwise. Its listeners do without, and a test of ours says so before.
            _isUnknown = true;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void Http20ConnectionEstablished(
        [UnsafeAccessorType(SourceType)] object source, long connectionId, string scheme, string host, int port, IPEndPoint? remoteEndPoint);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void Http20ConnectionClosed(
        [UnsafeAccessorType(SourceType)] object source, long connectionId);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void RequestLeftQueue(
        [UnsafeAccessorType(SourceType)] object source, int versionMajor, TimeSpan duration);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void RequestHeadersStart([UnsafeAccessorType(SourceType)] object source, long connectionId);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void RequestHeadersStop([UnsafeAccessorType(SourceType)] object source);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void RequestContentStart([UnsafeAccessorType(SourceType)] object source);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void RequestContentStop([UnsafeAccessorType(SourceType)] object source, long contentLength);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void ResponseHeadersStart([UnsafeAccessorType(SourceType)] object source);

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void ResponseHeadersStop([UnsafeAccessorType(SourceType)] object source, int statusCode);
}
