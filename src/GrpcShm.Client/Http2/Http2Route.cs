using System.Net;
using GrpcShm.Client.Direct;
using GrpcShm.Client.Http;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Http2;

/// <summary>
/// A way over HTTP/2. A channel has one for a server that has no direct mode, and another one for requests that direct
/// mode does not carry. A route is live as long as it has a connection without TLS.
/// </summary>
internal sealed partial class Http2Route : IByteRoute
{
    private static readonly HttpCallFailures Failures = new();

    private readonly Lock _gate = new();
    private readonly SharedMemoryConnectionFactory _factory;
    private readonly InnerHandler _inner;
    private readonly SharedMemoryClientOptions _options;
    private readonly HashSet<SharedMemoryConnection> _connections = [];
    private readonly ConnectAttempts _attempts;

    // Set once, under the gate.
    private volatile InnerHandler? _untraced;

    // As the latest connection has told.
    private volatile bool _speaksHttp2Alone;
    private SharedMemoryConnection? _handedOver;
    private Timer? _handedOverTimer;
    private bool _isDisposed;

    /// <param name="factory">Makes the connections.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="connectivity">
    /// Is told of connections without TLS and of attempts to make one: those with TLS belong to .NET's handler.
    /// </param>
    public Http2Route(
        SharedMemoryConnectionFactory factory, SharedMemoryClientOptions options, ChannelConnectivity connectivity)
    {
        Connectivity = connectivity;
        _options = options;
        _factory = factory;
        _attempts = new ConnectAttempts(_gate, connectivity);
        _inner = new InnerHandler(Http2Handlers.Create(ConnectAsync, options, factory.MeterFactory));
    }

    /// <summary>The state of the channel.</summary>
    public ChannelConnectivity Connectivity { get; }

    public bool IsLive
    {
        get
        {
            // Each connection is asked, since a busy process learns late that one has ended. A request that went this
            // way then would make another connection.
            lock (_gate)
            {
                foreach (var connection in _connections)
                {
                    if (!connection.IsClosed)
                    {
                        return true;
                    }
                }
            }

            return false;
        }
    }

    /// <summary>Sends a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <param name="isTraced">
    /// True if the request has a span already, so that its events have been written. Such requests are few, and have a
    /// handler of their own.
    /// </param>
    public Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken, bool isTraced = false)
    {
        var inner = isTraced ? _untraced ?? CreateUntraced() : _inner;
        return GrpcRequests.WaitsForServer(request)
            ? SendWhenReadyAsync(inner, request, cancellationToken)
            : SendNowAsync(inner, request, cancellationToken);
    }

    /// <summary>
    /// Makes a connection, which the first request will use, unless there is one. Waits for a server that listens.
    /// </summary>
    public Task ConnectAsync(CancellationToken cancellationToken) =>
        ConnectIfNeededAsync(request: null, waits: true, cancellationToken).AsTask();

    /// <summary>
    /// Sends a request while the caller's thread waits. .NET's own handler does so over HTTP/1.1 alone, so the version
    /// of the request is not raised here.
    /// </summary>
    public HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _inner.SendOn(request, cancellationToken);

    public void Dispose()
    {
        SharedMemoryConnection? unused;
        ConnectAttempt? attempt;
        lock (_gate)
        {
            _isDisposed = true;
            attempt = _attempts.GiveUp();
            unused = _handedOver;
            _handedOver = null;
            StopTimer();
        }

        attempt?.Cancel();
        unused?.Dispose();
        _inner.Dispose();
        _untraced?.Dispose();
    }

    /// <summary>
    /// True if the version of a request may be raised to HTTP/2: without TLS the request would be sent in an older
    /// version, and does not ask for exactly that. A request for an upgrade has to be 1.1, and with TLS the two sides
    /// agree on a version by themselves.
    /// </summary>
    private static bool MayBeRaised(HttpRequestMessage request)
    {
        var isNamed = request.VersionPolicy switch
        {
            HttpVersionPolicy.RequestVersionOrLower => true,
            HttpVersionPolicy.RequestVersionOrHigher => request.Version < HttpVersion.Version20,
            _ => false,
        };
        return isNamed
            && request.RequestUri?.Scheme is "http" or "ws"
            && !request.Headers.NonValidated.Contains("Upgrade");
    }

    /// <summary>
    /// Makes the handler of requests that have a span already. It writes no events. Made without the gate, since
    /// foreign code configures it.
    /// </summary>
    private InnerHandler CreateUntraced()
    {
        var made = new InnerHandler(
            Http2Handlers.Create(ConnectAsync, _options, _factory.MeterFactory, isTraced: false));
        InnerHandler? taken = null;
        lock (_gate)
        {
            if (!_isDisposed)
            {
                taken = _untraced ??= made;
            }
        }

        if (taken != made)
        {
            made.Dispose();
        }

        ObjectDisposedException.ThrowIf(taken is null, typeof(HttpMessageHandler));
        return taken;
    }

    /// <summary>Sends a request, which fails if there is no server.</summary>
    private Task<HttpResponseMessage> SendNowAsync(
        InnerHandler inner, HttpRequestMessage request, CancellationToken cancellationToken) =>
        MayBeRaised(request)
            ? SendInVersionAsync(inner, request, cancellationToken)
            : inner.SendOnAsync(request, cancellationToken);

    /// <summary>Sends a request over HTTP/2 if the endpoint has no other version.</summary>
    private async Task<HttpResponseMessage> SendInVersionAsync(
        InnerHandler inner, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!await SpeaksHttp2AloneAsync(request, cancellationToken).ConfigureAwait(false))
        {
            return await inner.SendOnAsync(request, cancellationToken).ConfigureAwait(false);
        }

        var version = request.Version;
        var policy = request.VersionPolicy;
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        try
        {
            return await inner.SendOnAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // The request belongs to the caller, who may send it again, elsewhere.
            request.Version = version;
            request.VersionPolicy = policy;
        }
    }

    /// <summary>
    /// Sends by another handler without an <see cref="HttpMessageInvoker"/>, which would write the events of a request
    /// a second time.
    /// </summary>
    private sealed class InnerHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        public Task<HttpResponseMessage> SendOnAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            SendAsync(request, cancellationToken);

        public HttpResponseMessage SendOn(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Send(request, cancellationToken);
    }
}
