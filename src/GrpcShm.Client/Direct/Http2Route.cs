using System.Net;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Direct;

/// <summary>
/// A way over HTTP/2: for a server that has no direct mode, and another for requests that direct mode does not carry. It is alive as
/// long as it has a connection without TLS.
/// </summary>
internal sealed class Http2Route : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SharedMemoryConnectionFactory _factory;
    private readonly InnerHandler _inner;
    private readonly HashSet<SharedMemoryConnection> _connections = [];
    private readonly TimeSpan _idleTimeout;

    // What the latest connection has told.
    private volatile bool _speaksHttp2Alone;
    private SharedMemoryConnection? _handedOver;
    private Timer? _handedOverTimer;
    private Task? _asking;
    private bool _isDisposed;

    public Http2Route(SharedMemoryConnectionFactory factory, SharedMemoryClientOptions options)
    {
        _idleTimeout = options.IdleTimeout;
        _factory = factory;
        _inner = new InnerHandler(SharedMemoryChannel.CreateHttp2Handler(ConnectAsync, options, factory.MeterFactory));
    }

    public bool IsLive
    {
        get
        {
            // Asked one by one, since a busy process is told late that one has ended, and what goes this way then makes another.
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

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        MayBeRaised(request) ? SendInVersionAsync(request, cancellationToken) : _inner.SendOnAsync(request, cancellationToken);

    /// <summary>Takes over a connection that the server wants to use for HTTP/2.</summary>
    public void HandOver(SharedMemoryConnection connection)
    {
        SharedMemoryConnection? unused;
        lock (_gate)
        {
            unused = _isDisposed ? connection : _handedOver;
            _handedOver = _isDisposed ? null : connection;
            StopTimer();
            if (!_isDisposed && _idleTimeout != Timeout.InfiniteTimeSpan)
            {
                // Whoever it was made for may have gone. Its context does not flow here: see ClientConnections.Start.
                _handedOverTimer = new Timer(
                    static state =>
                    {
                        var (route, connection) = ((Http2Route, SharedMemoryConnection))state!;
                        route.Drop(connection, isEnded: false);
                    },
                    (this, connection),
                    _idleTimeout,
                    Timeout.InfiniteTimeSpan);
            }
        }

        unused?.Dispose();
        if (unused != connection)
        {
            Count(connection);
        }
    }

    public void Dispose()
    {
        SharedMemoryConnection? unused;
        lock (_gate)
        {
            _isDisposed = true;
            unused = _handedOver;
            _handedOver = null;
            StopTimer();
        }

        unused?.Dispose();
        _inner.Dispose();
    }

    /// <summary>
    /// Whether a request names a version that is not HTTP/2's, or will become so without TLS, and not exactly that. What asks for an
    /// upgrade has to be 1.1, and with TLS the two sides agree by themselves.
    /// </summary>
    private static bool MayBeRaised(HttpRequestMessage request)
    {
        var isNamed = request.VersionPolicy switch
        {
            HttpVersionPolicy.RequestVersionOrLower => true,
            HttpVersionPolicy.RequestVersionOrHigher => request.Version < HttpVersion.Version20,
            _ => false,
        };
        return isNamed && request.RequestUri?.Scheme is "http" or "ws" && !request.Headers.NonValidated.Contains("Upgrade");
    }

    /// <summary>Sends a request as HTTP/2 if that is all that the endpoint speaks.</summary>
    private async Task<HttpResponseMessage> SendInVersionAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!await SpeaksHttp2AloneAsync(cancellationToken).ConfigureAwait(false))
        {
            return await _inner.SendOnAsync(request, cancellationToken).ConfigureAwait(false);
        }

        var version = request.Version;
        var policy = request.VersionPolicy;
        request.Version = HttpVersion.Version20;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        try
        {
            return await _inner.SendOnAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // It is the caller's, who may send it again, elsewhere.
            request.Version = version;
            request.VersionPolicy = policy;
        }
    }

    /// <summary>Asks the server, by a connection that the next request will take, unless there is one that has told.</summary>
    private async ValueTask<bool> SpeaksHttp2AloneAsync(CancellationToken cancellationToken)
    {
        if (!IsLive)
        {
            Task asking;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, typeof(HttpMessageHandler));
                asking = _asking ??= StartAsking();
            }

            try
            {
                await asking.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not (OperationCanceledException or ObjectDisposedException))
            {
                throw CallFailures.Connecting(exception);
            }
        }

        return _speaksHttp2Alone;
    }

    /// <summary>Begins to connect for all who ask, so nothing of this request's context goes with it.</summary>
    private Task StartAsking()
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            return Observed(Task.Run(AskAsync));
        }

        using (ExecutionContext.SuppressFlow())
        {
            return Observed(Task.Run(AskAsync));
        }

        // All who have asked may have gone before it fails.
        static Task Observed(Task asking)
        {
            _ = asking.ContinueWith(
                static failed => failed.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            return asking;
        }
    }

    private async Task AskAsync()
    {
        try
        {
            // It has an end of its own, by the time that connecting may take.
            HandOver(await _factory.ConnectBytesAsync(CancellationToken.None).ConfigureAwait(false));
        }
        finally
        {
            lock (_gate)
            {
                _asking = null;
            }
        }
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (context.InitialRequestMessage.RequestUri?.Scheme is "https" or "wss")
        {
            return await _factory.ConnectAsync(context, cancellationToken).ConfigureAwait(false);
        }

        SharedMemoryConnection? connection;
        lock (_gate)
        {
            connection = _handedOver;
            _handedOver = null;
            StopTimer();
        }

        if (connection is null)
        {
            connection = await ConnectAnotherAsync(cancellationToken).ConfigureAwait(false);
        }

        return SharedMemoryConnectionFactory.CreateStream(connection, context.InitialRequestMessage, ConnectAnotherAsync);
    }

    private async Task<SharedMemoryConnection> ConnectAnotherAsync(CancellationToken cancellationToken)
    {
        var connection = await _factory.ConnectBytesAsync(cancellationToken).ConfigureAwait(false);
        Count(connection);
        return connection;
    }

    private void Count(SharedMemoryConnection connection)
    {
        _speaksHttp2Alone = connection.SpeaksHttp2Alone;
        lock (_gate)
        {
            _connections.Add(connection);
        }

        // Fires at once if it has ended already.
        connection.Closed.UnsafeRegister(
            static (state, _) =>
            {
                var (route, connection) = ((Http2Route, SharedMemoryConnection))state!;
                route.Drop(connection, isEnded: true);
            },
            (this, connection));
    }

    /// <summary>Forgets a connection that has ended, or one that nobody has taken.</summary>
    private void Drop(SharedMemoryConnection connection, bool isEnded)
    {
        bool isUnused;
        lock (_gate)
        {
            isUnused = _handedOver == connection;
            if (isUnused)
            {
                _handedOver = null;
                StopTimer();
            }

            if (isUnused || isEnded)
            {
                _connections.Remove(connection);
            }
        }

        if (isUnused)
        {
            // By a timer, or by whoever has ended it.
            connection.CloseUnheard();
        }
    }

    /// <summary>Under the gate.</summary>
    private void StopTimer()
    {
        _handedOverTimer?.Dispose();
        _handedOverTimer = null;
    }

    /// <summary>Sends by another handler, without an invoker: that would write the events of a request a second time.</summary>
    private sealed class InnerHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        public Task<HttpResponseMessage> SendOnAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            SendAsync(request, cancellationToken);
    }
}
