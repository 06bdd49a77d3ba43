using System.Net;

namespace GrpcShm.Client.Direct;

/// <summary>
/// The requests of a channel that direct mode does not carry: they go over HTTP/2 through rings of their own, to the server's own
/// stack. Apart from those that go over HTTP/2 because the server has no direct mode: what is connected for these here must not
/// draw calls away from it.
/// </summary>
internal sealed class PlainRequests(Func<Http2Route> createRoute) : IDisposable
{
    private readonly Lock _gate = new();

    // Written once, under the gate. Read under it, or without it where a route that has just been made may be missed; by Dispose after
    // _isDisposed was set under the gate, and then nobody writes it any more.
    private Http2Route? _route;
    private bool _isDisposed;

    /// <summary>Sends a request that wants TLS.</summary>
    public Task<HttpResponseMessage> SendSecureAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        GetRoute().SendAsync(request, cancellationToken);

    /// <summary>Sends a request of any other kind.</summary>
    /// <param name="pending">The request.</param>
    /// <param name="connections">Find out whether the server has direct mode.</param>
    public async Task<HttpResponseMessage> SendAsync(PendingRequest pending, ClientConnections connections)
    {
        var request = pending.Request;
        var cancellationToken = pending.CancellationToken;

        // One that has it speaks HTTP/2 alone on this endpoint. Others may speak HTTP/1.1, too, and the version is left as it is.
        if (!IsLive && !await connections.ConnectAsync(cancellationToken).ConfigureAwait(false))
        {
            return await connections.Http2!.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }

        var version = request.Version;
        var policy = request.VersionPolicy;
        if (!MeansHttp2(version, policy) || request.Headers.NonValidated.Contains("Upgrade"))
        {
            return await GetRoute().SendAsync(request, cancellationToken).ConfigureAwait(false);
        }

        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        try
        {
            return await GetRoute().SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // It is the caller's, who may send it again, elsewhere.
            request.Version = version;
            request.VersionPolicy = policy;
            GC.KeepAlive(pending);
        }
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

    /// <summary>Whether a request that names another version can be sent as HTTP/2: "or lower" means 1.1 without TLS.</summary>
    private static bool MeansHttp2(Version version, HttpVersionPolicy policy) => policy switch
    {
        HttpVersionPolicy.RequestVersionOrLower => true,
        HttpVersionPolicy.RequestVersionOrHigher => version < HttpVersion.Version20,
        _ => false,
    };

    private Http2Route GetRoute()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(HttpMessageHandler));
            return _route ??= createRoute();
        }
    }
}
