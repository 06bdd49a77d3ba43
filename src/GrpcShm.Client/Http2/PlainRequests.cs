using GrpcShm.Client.Direct;
using GrpcShm.Client.Http;

namespace GrpcShm.Client.Http2;

/// <summary>
/// The requests of a channel that direct mode does not carry: they go over HTTP/2 through rings of their own, to the
/// server's own stack. Apart from those that go over HTTP/2 because the server has no direct mode: what is connected
/// for these here must not draw calls away from it.
/// </summary>
internal sealed class PlainRequests(Func<Http2Route> createRoute) : IDisposable
{
    private readonly Lock _gate = new();

    // Written once, under the gate. Read under it, or without it where a route that has just been made may be missed;
    // by Dispose after _isDisposed was set under the gate, and then nobody writes it any more.
    private Http2Route? _route;
    private bool _isDisposed;

    /// <summary>Sends a request that wants TLS.</summary>
    public Task<HttpResponseMessage> SendSecureAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        GetRoute().SendAsync(request, cancellationToken);

    /// <summary>
    /// Sends a request while the caller's thread waits. Which way is not worth asking the server: it has connections of
    /// its own.
    /// </summary>
    public HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        GetRoute().Send(request, cancellationToken);

    /// <summary>Sends a request of any other kind.</summary>
    /// <param name="pending">The request.</param>
    /// <param name="connections">Find out whether the server has direct mode.</param>
    /// <param name="http2">The way for a server that has none.</param>
    public async Task<HttpResponseMessage> SendAsync(
        PendingRequest pending, ClientConnections connections, Http2Route http2)
    {
        var hasDirectMode = IsLive || await connections.ConnectAsync(pending.CancellationToken).ConfigureAwait(false);
        var response = await (hasDirectMode ? GetRoute() : http2)
            .SendAsync(pending.Request, pending.CancellationToken, pending.IsObserved)
            .ConfigureAwait(false);
        GC.KeepAlive(pending);
        return response;
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        _route?.Dispose();
    }

    private bool IsLive => Volatile.Read(ref _route) is { IsLive: true };

    private Http2Route GetRoute()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(HttpMessageHandler));
            return _route ??= createRoute();
        }
    }
}
