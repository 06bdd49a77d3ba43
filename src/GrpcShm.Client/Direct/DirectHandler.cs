using GrpcShm.Client.Diagnostics;

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

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (Check(request))
        {
            return _connections.Http2!.SendAsync(request, cancellationToken);
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<HttpResponseMessage>(cancellationToken);
        }

        return _diagnostics.IsEnabled ? ObserveAsync(request, cancellationToken) : SendUnobservedAsync(request, cancellationToken);
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

    /// <returns>Whether the request has to go over HTTP/2.</returns>
    private bool Check(HttpRequestMessage request)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true } address)
        {
            throw new InvalidOperationException(
                "An invalid request URI was provided. Either the request URI must be an absolute URI or BaseAddress must be set.");
        }

        if (address.Scheme == Uri.UriSchemeHttps)
        {
            return _mode != SharedMemoryMode.Direct
                ? true
                : throw new HttpRequestException(
                    HttpRequestError.SecureConnectionError,
                    $"'{address.GetLeftPart(UriPartial.Authority)}' asks for TLS, which direct mode does not have: what the two processes "
                    + "share stays in their memory. Use an address with http, or set Mode to Http2.");
        }

        if (address.Scheme != Uri.UriSchemeHttp)
        {
            throw new NotSupportedException($"The '{address.Scheme}' scheme is not supported.");
        }

        return _connections.Http2 is { IsLive: true };
    }

    private Task<HttpResponseMessage> SendUnobservedAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var pending = new PendingRequest(request, cancellationToken);
        try
        {
            if (_connections.TrySend(pending))
            {
                return pending.Task;
            }
        }
        catch (HttpRequestException exception)
        {
            return Task.FromException<HttpResponseMessage>(exception);
        }

        _connections.Retry(pending);
        return pending.Task;
    }

    private async Task<HttpResponseMessage> ObserveAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (_connections.Http2 is not null)
        {
            // Requests over HTTP/2 are observed there. Which way this one goes is known with the connection.
            Exception? failure = null;
            try
            {
                if (!await _connections.ConnectAsync(cancellationToken).ConfigureAwait(false))
                {
                    return await _connections.Http2.SendAsync(request, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (Exception exception)
            {
                failure = exception;
            }

            if (failure is not null)
            {
                return await _diagnostics.ObserveAsync(request, () => Task.FromException<HttpResponseMessage>(failure)).ConfigureAwait(false);
            }
        }

        return await _diagnostics.ObserveAsync(request, () => SendUnobservedAsync(request, cancellationToken)).ConfigureAwait(false);
    }
}
