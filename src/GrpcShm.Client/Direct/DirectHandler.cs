using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport;

namespace GrpcShm.Client.Direct;

/// <summary>
/// Sends requests in direct mode: what a <see cref="SocketsHttpHandler"/> is for HTTP/2, for whoever is above it.
/// </summary>
internal sealed class DirectHandler : HttpMessageHandler
{
    private readonly SharedMemoryMode _mode;
    private readonly ClientDiagnostics _diagnostics;
    private readonly ClientConnections _connections;
    private volatile bool _isDisposed;

    public DirectHandler(ClientConnections connections)
    {
        _connections = connections;
        _mode = connections.Options.Mode;
        _diagnostics = connections.Diagnostics;
    }

    /// <summary>
    /// Nobody has disposed of it, and nobody can use it any more. Requests that wait hold it. Responses do not, and are read to their end.
    /// </summary>
    ~DirectHandler()
    {
        // Locks and logs are nothing for the finalizer's thread.
        ThreadPool.UnsafeQueueUserWorkItem(
            static connections =>
            {
                try
                {
                    connections.Forget();
                }
                catch (Exception)
                {
                    // What runs when an attempt to connect is cancelled may be foreign, and has nobody left to tell.
                }
            },
            _connections,
            preferLocal: false);
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (IsSecure(request))
        {
            return _connections.Plain!.SendSecureAsync(request, cancellationToken);
        }

        if (_connections.Http2 is { IsLive: true } http2)
        {
            return http2.SendAsync(request, cancellationToken);
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<HttpResponseMessage>(cancellationToken);
        }

        return _diagnostics.IsEnabled ? ObserveAsync(request, cancellationToken) : SendAsync(request, isObserved: false, cancellationToken);
    }

    /// <summary>As .NET's own handler, which blocks the caller's thread for HTTP/1.1 alone, and says so in this order.</summary>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Version.Major >= 2)
        {
            throw new NotSupportedException(
                $"A request of HTTP/2 or higher, as a gRPC call is, cannot be sent synchronously, and this one's version is {request.Version}. "
                + "Use SendAsync, or set the request's Version to 1.1.");
        }

        if (request.VersionPolicy == HttpVersionPolicy.RequestVersionOrHigher)
        {
            throw new NotSupportedException(
                $"A request whose VersionPolicy is {request.VersionPolicy} cannot be sent synchronously, since it may be upgraded to HTTP/2. "
                + "Use SendAsync, or set another VersionPolicy.");
        }

        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        return IsSecure(request)
            ? _connections.Plain!.Send(request, cancellationToken)
            : _connections.SendPlain(request, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            _connections.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <returns>Whether the request asks for TLS, which is HTTP/2's.</returns>
    private bool IsSecure(HttpRequestMessage request)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true } address)
        {
            throw new InvalidOperationException(
                "An invalid request URI was provided. Either the request URI must be an absolute URI or BaseAddress must be set.");
        }

        if (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeWs)
        {
            return false;
        }

        if (address.Scheme != Uri.UriSchemeHttps && address.Scheme != Uri.UriSchemeWss)
        {
            throw new NotSupportedException($"The '{address.Scheme}' scheme is not supported.");
        }

        return _mode != SharedMemoryMode.Direct
            ? true
            : throw new HttpRequestException(
                HttpRequestError.SecureConnectionError,
                $"'{address.GetLeftPart(UriPartial.Authority)}' asks for TLS, which direct mode does not have: what the two processes "
                + "share stays in their memory. Use an address with http, or set Mode to Http2.");
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, bool isObserved, CancellationToken cancellationToken)
    {
        var pending = new PendingRequest(request, this, isObserved, cancellationToken);
        switch (_connections.TrySend(pending))
        {
            case SendResult.Sent:
                return pending.Task;
            case SendResult.NotCarried:
                return _connections.SendPlainAsync(pending);
            default:
                _connections.Retry(pending);
                return pending.Task;
        }
    }

    private async Task<HttpResponseMessage> ObserveAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // Requests over HTTP/2 are observed there. Which way this one goes is known with the connection. With direct mode alone it is
        // known before, but what waits for a connection has to be told so before it begins.
        var isKnown = _connections.HasConnection || (_connections.Http2 is null && !_connections.Carries(request));
        var queuedSince = isKnown ? 0 : _diagnostics.BeginToQueue();
        var failure = isKnown ? null : await ConnectAsync(cancellationToken).ConfigureAwait(false);
        if (failure is not null)
        {
            // As over a socket, where who has waited in vain has left the queue, too.
            _diagnostics.EndToQueue(request, queuedSince);
            var failed = () => Task.FromException<HttpResponseMessage>(failure);
            return await _diagnostics.ObserveAsync(request, failed, failed).ConfigureAwait(false);
        }

        if (_connections.Http2 is { IsLive: true } http2)
        {
            return await http2.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }

        if (_connections.Plain is null || _connections.Carries(request))
        {
            _diagnostics.EndToQueue(request, queuedSince);
            return await _diagnostics.ObserveAsync(
                request,
                () => SendAsync(request, isObserved: true, cancellationToken),
                () => _connections.SendObservedPlainAsync(new PendingRequest(request, this, isObserved: true, cancellationToken)))
                .ConfigureAwait(false);
        }

        var pending = new PendingRequest(request, this, isObserved: false, cancellationToken);
        return await _connections.SendPlainAsync(pending).ConfigureAwait(false);
    }

    private async Task<Exception?> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _connections.ConnectAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
