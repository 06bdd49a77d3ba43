using System.Diagnostics.Metrics;

namespace GrpcShm.Client.Http2;

/// <summary>
/// Makes .NET's own handler so that gRPC's calls go through it as over a socket; see
/// docs/contributing/http2-workarounds.md.
/// </summary>
internal static class Http2Handlers
{
    // So many bytes of a response that nobody reads may lie in this process; a call in direct mode usually holds as
    // many. The window is as large as the rings, so a large response flows at once. With SocketsHttpHandler's own first
    // window, 65,535 bytes, it does so only after some round trips. Both windows grow in the same way if the reader
    // keeps up.
    private const int StreamWindowSize = 256 * 1024;

    /// <summary>Makes a handler.</summary>
    /// <param name="connect">Makes the connections of the handler.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="meterFactory">Makes the meters of the handler; nothing for meters of the process.</param>
    /// <param name="isTraced">True if the handler writes spans and events of its requests.</param>
    public static HttpMessageHandler Create(
        Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect,
        SharedMemoryClientOptions options,
        IMeterFactory? meterFactory,
        bool isTraced = true)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = connect,
            EnableMultipleHttp2Connections = options.EnableMultipleConnections,
            PooledConnectionIdleTimeout = options.IdleTimeout,
            InitialHttp2StreamWindowSize = StreamWindowSize,
            KeepAlivePingDelay = options.KeepAlivePingDelay,
            KeepAlivePingTimeout = options.KeepAlivePingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            MeterFactory = meterFactory,
        };
        options.ConfigureHandler?.Invoke(handler);
        if (!isTraced)
        {
            // Without a propagator the handler writes no events and no spans. Its metrics need none.
            handler.ActivityHeadersPropagator = null;
        }

        return new PushedRequestHandler(handler);
    }
}
