using GrpcShm.Client.Diagnostics;
using GrpcShm.Client.Direct;
using GrpcShm.Client.Http2;
using GrpcShm.Transport;

namespace GrpcShm.Client.Http;

/// <summary>
/// Sends requests in direct mode. For the handlers above it, it behaves like a <see cref="SocketsHttpHandler"/> with
/// HTTP/2.
/// </summary>
internal sealed class DirectHandler : HttpMessageHandler
{
    private readonly SharedMemoryMode _mode;
    private readonly ClientDiagnostics _diagnostics;
    private readonly ClientConnections _connections;
    private readonly Http2Route? _http2;
    private readonly PlainRequests? _plain;
    private readonly CallTargets _targets;
    private volatile bool _isDisposed;

    /// <param name="connections">Carry the requests that direct mode carries.</param>
    /// <param name="http2">The way over HTTP/2 for a server that has no direct mode, if HTTP/2 is allowed.</param>
    /// <param name="plain">The way for requests that direct mode does not carry, if HTTP/2 is allowed.</param>
    public DirectHandler(ClientConnections connections, Http2Route? http2, PlainRequests? plain)
    {
        _connections = connections;
        _http2 = http2;
        _plain = plain;
        _mode = connections.Options.Mode;
        _diagnostics = connections.Diagnostics;
        _targets = new CallTargets(connections.Options.RunMode);
    }

    /// <summary>
    /// Closes the connections of a handler that nobody has disposed of and nobody can use any more. Requests that wait
    /// hold the handler. Responses do not, so they can be read to their end.
    /// </summary>
    ~DirectHandler()
    {
        // The finalizer's thread must not wait for locks, nor log.
        ThreadPool.UnsafeQueueUserWorkItem(
            static connections =>
            {
                try
                {
                    connections.Forget();
                }
                catch (Exception)
                {
                    // Foreign code may run when an attempt to connect is cancelled. Nobody is left who could be told of
                    // its exception.
                }
            },
            _connections,
            preferLocal: false);
    }

    /// <summary>Carry the requests.</summary>
    public ClientConnections Connections => _connections;

    /// <summary>The call objects that carry the requests.</summary>
    public ClientCallPool Carriers { get; } = new(static call => new HttpExchange(call));

    /// <summary>Reports requests to listeners.</summary>
    public ClientDiagnostics Diagnostics => _diagnostics;

    /// <summary>Finds what a request is for.</summary>
    /// <returns>The target; nothing if direct mode does not carry the request, whatever its headers are.</returns>
    public CallTarget? FindTarget(HttpRequestMessage request) =>
        DirectRequests.MayBeCarried(request) && _targets.Get(request.RequestUri!) is { IsCarried: true } target
            ? target
            : null;

    /// <summary>
    /// Sends a request another way, since direct mode does not carry it, or the server has no direct mode.
    /// </summary>
    public async Task SendElsewhereAsync(PendingRequest pending, SendResult reason)
    {
        if (reason == SendResult.NotCarried)
        {
            pending.TrySetResult(await SendPlainAsync(pending).ConfigureAwait(false));
        }
        else if (pending.IsObserved)
        {
            // The metrics of this request are those of HTTP/2.
            throw new UnsentRequestException();
        }
        else
        {
            pending.TrySetResult(
                await _http2!.SendAsync(pending.Request, pending.CancellationToken).ConfigureAwait(false));
        }
    }

    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (IsSecure(request))
        {
            return _plain!.SendSecureAsync(request, cancellationToken);
        }

        if (_http2 is { IsLive: true } http2)
        {
            return http2.SendAsync(request, cancellationToken);
        }

        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<HttpResponseMessage>(cancellationToken);
        }

        return _diagnostics.IsEnabled
            ? ObserveAsync(request, cancellationToken)
            : SendAsync(request, isObserved: false, cancellationToken);
    }

    /// <summary>
    /// Sends a request while the caller's thread waits. .NET's own handler does so for HTTP/1.1 alone; the checks here
    /// come in the same order as there.
    /// </summary>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Version.Major >= 2)
        {
            throw new NotSupportedException(
                "A request of HTTP/2 or higher, as a gRPC call is, cannot be sent synchronously, and the version of "
                + $"this request is {request.Version}. Use SendAsync, or set the request's Version to 1.1.");
        }

        if (request.VersionPolicy == HttpVersionPolicy.RequestVersionOrHigher)
        {
            throw new NotSupportedException(
                $"A request whose VersionPolicy is {request.VersionPolicy} cannot be sent synchronously, since it "
                + "may be upgraded to HTTP/2. Use SendAsync, or set another VersionPolicy.");
        }

        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        return IsSecure(request)
            ? _plain!.Send(request, cancellationToken)
            : SendPlain(request, cancellationToken);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !_isDisposed)
        {
            _isDisposed = true;
            _connections.Dispose();
            _plain?.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>True if a request asks for TLS, which only HTTP/2 has.</summary>
    private bool IsSecure(HttpRequestMessage request)
    {
        if (request.RequestUri is not { IsAbsoluteUri: true } address)
        {
            throw new InvalidOperationException(
                "An invalid request URI was provided. "
                + "Either the request URI must be an absolute URI or BaseAddress must be set.");
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
                $"'{address.GetLeftPart(UriPartial.Authority)}' asks for TLS, which direct mode does not have: "
                + "the data of a call does not leave the memory of the two processes. "
                + "Use an address with http, or set Mode to Http2.");
    }

    private Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, bool isObserved, CancellationToken cancellationToken)
    {
        var pending = new PendingRequest(request, this, isObserved, cancellationToken);
        switch (_connections.TrySend(pending))
        {
            case SendResult.Sent:
                return pending.Task;
            case SendResult.NotCarried:
                return SendPlainAsync(pending);
            default:
                _connections.Retry(pending);
                return pending.Task;
        }
    }

    private async Task<HttpResponseMessage> ObserveAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        // Requests over HTTP/2 are observed there. Which way this request goes is known when there is a connection.
        // With direct mode alone it is known before. But listeners have to be told that a request waits for a
        // connection before they are told that it begins.
        var isKnown = _connections.HasConnection || (_http2 is null && !Carries(request));
        var queuedSince = isKnown ? 0 : _diagnostics.BeginQueueing();
        var failure = isKnown ? null : await ConnectAsync(request, cancellationToken).ConfigureAwait(false);
        if (failure is not null)
        {
            // As over a socket, where a request that has waited in vain has left the queue, too.
            _diagnostics.EndQueueing(request, queuedSince);
            var failed = () => Task.FromException<HttpResponseMessage>(failure);
            return await _diagnostics.ObserveAsync(request, failed, failed).ConfigureAwait(false);
        }

        if (_http2 is { IsLive: true } http2)
        {
            return await http2.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }

        if (_plain is null || Carries(request))
        {
            _diagnostics.EndQueueing(request, queuedSince);
            return await _diagnostics.ObserveAsync(
                request,
                () => SendAsync(request, isObserved: true, cancellationToken),
                () => SendObservedPlainAsync(new PendingRequest(request, this, isObserved: true, cancellationToken)))
                .ConfigureAwait(false);
        }

        var pending = new PendingRequest(request, this, isObserved: false, cancellationToken);
        return await SendPlainAsync(pending).ConfigureAwait(false);
    }

    /// <summary>True if direct mode carries a request.</summary>
    private bool Carries(HttpRequestMessage request) =>
        DirectRequests.MayBeCarried(request)
        && DirectRequests.WhyNot(request, _targets.Get(request.RequestUri!)) is null;

    /// <summary>Sends a request another way, since direct mode does not carry it.</summary>
    private Task<HttpResponseMessage> SendPlainAsync(PendingRequest pending)
    {
        if (_plain is null)
        {
            var request = pending.Request;
            var reason = pending.WhyNotCarried ?? DirectRequests.WhyNot(request, _targets.Get(request.RequestUri!));
            return Task.FromException<HttpResponseMessage>(DirectRequests.Refuse(reason!));
        }

        // Found out late, since the headers are too large, or somebody has added to them. The metrics of this request
        // are those of HTTP/2.
        return pending.IsObserved
            ? Task.FromException<HttpResponseMessage>(new UnsentRequestException())
            : SendObservedPlainAsync(pending);
    }

    /// <summary>Sends a request another way, even if listeners have been told of it already.</summary>
    private Task<HttpResponseMessage> SendObservedPlainAsync(PendingRequest pending) =>
        _plain!.SendAsync(pending, _connections, _http2!);

    /// <summary>
    /// Sends a request while the caller's thread waits. A request that direct mode carries is never sent so.
    /// </summary>
    private HttpResponseMessage SendPlain(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (_plain is null)
        {
            throw DirectRequests.Refuse(DirectRequests.WhyNot(request, _targets.Get(request.RequestUri!))!);
        }

        return _http2 is { IsLive: true } http2
            ? http2.Send(request, cancellationToken)
            : _plain.Send(request, cancellationToken);
    }

    private async Task<Exception?> ConnectAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            await _connections.ConnectAsync(new PendingRequest(request, this, isObserved: false, cancellationToken))
                .ConfigureAwait(false);
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
