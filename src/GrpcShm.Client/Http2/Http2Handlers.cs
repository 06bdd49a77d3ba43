using System.Diagnostics.Metrics;

namespace GrpcShm.Client.Http2;

/// <summary>
/// Makes .NET's own handler so that gRPC's calls go through it as over a socket; see
/// docs/contributing/http2-workarounds.md.
/// </summary>
internal static class Http2Handlers
{
    // What a response that nobody reads holds in this process, as much as a call in direct mode may in the ordinary
    // course. It is as large as the rings, so it lets a large response flow: SocketsHttpHandler's own first window,
    // 65,535 bytes, does so only after some rounds, and from there on both grow alike where the reader keeps up.
    private const int StreamWindowSize = 256 * 1024;

    /// <summary>Makes a handler.</summary>
    /// <param name="connect">Makes its connections.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="meterFactory">Where its meters are made; nothing for those of the process.</param>
    /// <param name="isTraced">Whether it writes spans and events of its requests.</param>
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
            // What the handler's own events and spans are written by; what it measures is measured without.
            handler.ActivityHeadersPropagator = null;
        }

        return new PushedRequestHandler(handler);
    }
}
