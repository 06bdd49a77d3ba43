using GrpcShm.Client.Direct;
using GrpcShm.Client.Http;

namespace GrpcShm.Client.Http2;

/// <summary>
/// Sends the requests of a channel that direct mode does not carry: over HTTP/2 and through rings of their own, to
/// Kestrel. Their route is not the one for a server that has no direct mode: the connections made here must not draw
/// calls away from direct mode.
/// </summary>
internal sealed class PlainRequests(Func<Http2Route> createRoute) : IDisposable
{
    private readonly Lock _gate = new();

    // Written once, under the gate. Read under the gate, or without it if it does not matter that a new route is
    // missed. Read by Dispose after _isDisposed was set under the gate: nobody writes it any more by then.
    private Http2Route? _route;
    private bool _isDisposed;

    /// <summary>Sends a request that asks for TLS.</summary>
    public Task<HttpResponseMessage> SendSecureAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        GetRoute().SendAsync(request, cancellationToken);

    /// <summary>
    /// Sends a request while the caller's thread waits. It uses connections of its own, so the server is not asked
    /// whether it has direct mode.
    /// </summary>
    public HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        GetRoute().Send(request, cancellationToken);

    /// <summary>Sends a request of any other kind.</summary>
    /// <param name="pending">The request.</param>
    /// <param name="connections">Say whether the server has direct mode.</param>
    /// <param name="http2">The way for a server that has no direct mode.</param>
    public async Task<HttpResponseMessage> SendAsync(
        PendingRequest pending, ClientConnections connections, Http2Route http2)
    {
        var hasDirectMode = IsLive || await connections.ConnectAsync(pending).ConfigureAwait(false);
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
