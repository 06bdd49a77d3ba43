using System.Diagnostics.Tracing;
using System.Net;
using System.Runtime.CompilerServices;

namespace GrpcShm.Client.Diagnostics;

/// <summary>
/// Writes the steps of a request and the life of a connection to the event source <c>System.Net.Http</c>, as
/// <see cref="SocketsHttpHandler"/> does for its own. The start and the end of a request are written by .NET's code
/// that calls a handler, whichever handler it is.
/// </summary>
internal static class HttpEvents
{
    private const string SourceType = "System.Net.Http.HttpTelemetry, System.Net.Http";
    private const int MajorVersion = 2;

    private static readonly EventSource? Source = FindSource();

    // .NET counts its connections from 0 upwards, so these are below 0. A second copy of this library in the process,
    // as a plug-in may have it, starts at another number.
    private static long s_lastConnection = -(Random.Shared.NextInt64(1L << 40) << 20);

    private static volatile bool _isUnknown;

    /// <summary>True if anybody listens.</summary>
    public static bool AreHeard => !_isUnknown && Source is { } source && source.IsEnabled();

    /// <summary>Gives out a number that no other connection of this process has, in direct mode or in HTTP.</summary>
    public static long TakeNumber() => Interlocked.Decrement(ref s_lastConnection);

    /// <summary>Writes that a connection was made.</summary>
    public static void WriteConnectionEstablished(long connection, Uri endPoint) => Write(
        (connection, endPoint),
        static (source, to) => Http20ConnectionEstablished(
            source, to.connection, to.endPoint.Scheme, to.endPoint.IdnHost, to.endPoint.Port, null));

    /// <summary>Writes that a connection has ended whose establishment was written.</summary>
    public static void WriteConnectionClosed(long connection) =>
        Write(connection, static (source, connection) => Http20ConnectionClosed(source, connection));

    /// <summary>Writes how long a request has waited for a connection.</summary>
    public static void WriteLeftQueue(TimeSpan duration) =>
        Write(duration, static (source, duration) => RequestLeftQueue(source, MajorVersion, duration));

    /// <summary>
    /// Writes that a request begins on a connection. .NET writes these four events one by one, as it sends the headers,
    /// then the content. In direct mode both go in one frame, so all four are written before, when no response can have
    /// come yet.
    /// </summary>
    public static void WriteBegun(long connection) => Write(connection, static (source, connection) =>
    {
        RequestHeadersStart(source, connection);
        RequestHeadersStop(source);
        RequestContentStart(source);
        ResponseHeadersStart(source);
    });

    /// <summary>Writes that all of the content has been sent.</summary>
    public static void WriteContentSent(long bytes) =>
        Write(bytes, static (source, bytes) => RequestContentStop(source, bytes));

    /// <summary>Writes that the response has come.</summary>
    public static void WriteResponded(HttpStatusCode status) =>
        Write((int)status, static (source, status) => ResponseHeadersStop(source, status));

    // .NET makes the source with the first request of the process that comes to a handler of HTTP. A call that needs no
    // such handler may come earlier, or while another thread makes the source.
    private static EventSource? FindSource()
    {
        if (Type.GetType(SourceType) is { } type)
        {
            RuntimeHelpers.RunClassConstructor(type.TypeHandle);
        }

        return EventSource.GetSources().FirstOrDefault(
            static source => source.Name == ClientDiagnostics.SourceName
                && source.GetType().Assembly == typeof(HttpMessageInvoker).Assembly);
    }

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
            // This version of .NET has no such methods. Its listeners go without these events. A test of this library
            // fails first.
            _isUnknown = true;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method)]
    private static extern void Http20ConnectionEstablished(
        [UnsafeAccessorType(SourceType)] object source,
        long connectionId,
        string scheme,
        string host,
        int port,
        IPEndPoint? remoteEndPoint);

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
