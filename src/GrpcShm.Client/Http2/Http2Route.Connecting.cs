using GrpcShm.Client.Direct;
using GrpcShm.Client.Http;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Client.Http2;

/// <summary>How the connections of the route are made, and forgotten.</summary>
internal sealed partial class Http2Route
{
    /// <summary>Takes over a connection that the server uses for HTTP/2.</summary>
    public void HandOver(SharedMemoryConnection connection)
    {
        SharedMemoryConnection? unused;
        lock (_gate)
        {
            unused = _isDisposed ? connection : _handedOver;
            _handedOver = _isDisposed ? null : connection;
            StopTimer();
            if (!_isDisposed && _options.IdleTimeout != Timeout.InfiniteTimeSpan)
            {
                // The request that it was made for may have been given up. The context of that request does not flow
                // into the timer: see ClientConnections.Start.
                _handedOverTimer = new Timer(
                    static state =>
                    {
                        var (route, connection) = ((Http2Route, SharedMemoryConnection))state!;
                        route.Drop(connection, isEnded: false);
                    },
                    (this, connection),
                    _options.IdleTimeout,
                    Timeout.InfiniteTimeSpan);
            }
        }

        unused?.Dispose();
        if (unused != connection)
        {
            Add(connection);
        }
    }

    /// <summary>Sends a call when there is a server that takes it.</summary>
    private async Task<HttpResponseMessage> SendWhenReadyAsync(
        InnerHandler inner, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        for (var pause = new ConnectPause(); ; await pause.WaitAsync(cancellationToken).ConfigureAwait(false))
        {
            // The connection is made here: .NET's handler would report each attempt in vain to listeners as a request
            // that failed. With TLS it makes the connection itself, and does so.
            if (!IsSecure(request))
            {
                await ConnectIfNeededAsync(request, waits: true, cancellationToken).ConfigureAwait(false);
            }

            try
            {
                return await SendNowAsync(inner, request, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpRequestException failure) when (GrpcRequests.HasNoServer(failure, request.Content))
            {
                // There is none yet, or it has gone again.
            }
        }
    }

    /// <summary>
    /// True if the endpoint has HTTP/2 and no other version. If no connection has told yet, one is made.
    /// </summary>
    private async ValueTask<bool> SpeaksHttp2AloneAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await ConnectIfNeededAsync(request, waits: false, cancellationToken).ConfigureAwait(false);
        return _speaksHttp2Alone;
    }

    /// <summary>Makes a connection, which the next request will use, unless there is one.</summary>
    /// <param name="request">The request; nothing if the connection is for whichever comes.</param>
    /// <param name="waits">True if the request waits for a server. All that wait share the attempts.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    private async ValueTask ConnectIfNeededAsync(
        HttpRequestMessage? request, bool waits, CancellationToken cancellationToken)
    {
        ConnectAttempt? failed = null;
        while (!IsLive)
        {
            var attempt = Join(failed);
            try
            {
                await attempt.WhenEndedAsync(cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _attempts.Leave(attempt);
            }

            switch (attempt.Failure)
            {
                case null:
                    return;
                case { } failure when waits && SharedMemoryConnector.MayBecomeReady(failure):
                    failed = attempt;
                    await _attempts.PauseAfter(attempt).WaitAsync(cancellationToken).ConfigureAwait(false);
                    break;
                case ObjectDisposedException or OperationCanceledException:
                    throw attempt.Failure;
                case { } failure:
                    throw request is null
                        ? CallFailures.CreateConnecting(isForCall: true, failure)
                        : CallFailures.CreateConnecting(request, failure);
            }
        }
    }

    /// <summary>Joins the attempt to connect, or begins one.</summary>
    private ConnectAttempt Join(ConnectAttempt? after)
    {
        ConnectAttempt attempt;
        bool isNew;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(HttpMessageHandler));
            attempt = _attempts.Join(after, out isNew);
        }

        if (isNew)
        {
            // The attempt belongs to all requests that wait for it, so nothing of this one's context flows into it.
            ThreadPool.UnsafeQueueUserWorkItem(
                static s => _ = s.Route.RunAsync(s.Attempt), (Route: this, Attempt: attempt), preferLocal: false);
        }

        return attempt;
    }

    private async Task RunAsync(ConnectAttempt attempt)
    {
        Exception? failure = null;
        try
        {
            HandOver(await _factory.ConnectBytesAsync(attempt.Token).ConfigureAwait(false));
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        _attempts.End(attempt, hasFailed: failure is not null);
        attempt.End(failure, Failures);
    }

    private async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var request = context.InitialRequestMessage;
        if (IsSecure(request))
        {
            // Even if this request waits for its server: .NET's handler lets the others queue behind one connection
            // that is being made, and they may have to fail at once.
            var secured = await _factory.ConnectBytesAsync(cancellationToken).ConfigureAwait(false);
            return new HandoverStream(secured, request, _factory.ConnectBytesAsync);
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

        return new HandoverStream(connection, request, ConnectAnotherAsync);
    }

    private static bool IsSecure(HttpRequestMessage request) => request.RequestUri?.Scheme is "https" or "wss";

    private async Task<SharedMemoryConnection> ConnectAnotherAsync(CancellationToken cancellationToken)
    {
        SharedMemoryConnection connection;
        Connectivity.BeginAttempt();
        try
        {
            connection = await _factory.ConnectBytesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Connectivity.GiveUpAttempt();
            throw;
        }
        catch
        {
            Connectivity.EndAttempt(hasFailed: true);
            throw;
        }

        Add(connection);
        Connectivity.EndAttempt(hasFailed: false);
        return connection;
    }

    private void Add(SharedMemoryConnection connection)
    {
        _speaksHttp2Alone = connection.SpeaksHttp2Alone;
        lock (_gate)
        {
            _connections.Add(connection);
            Connectivity.AddConnection();
        }

        // Called at once if the connection has ended already.
        connection.Closed.UnsafeRegister(
            static (state, _) =>
            {
                var (route, connection) = ((Http2Route, SharedMemoryConnection))state!;
                route.Drop(connection, isEnded: true);
            },
            (this, connection));
    }

    /// <summary>Forgets a connection that has ended, or that no request has used.</summary>
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

            if ((isUnused || isEnded) && _connections.Remove(connection))
            {
                Connectivity.RemoveConnection();
            }
        }

        if (isUnused)
        {
            // On the thread of a timer, or of whoever has ended the connection.
            connection.CloseUnheard();
        }
    }

    /// <summary>Under the gate.</summary>
    private void StopTimer()
    {
        _handedOverTimer?.Dispose();
        _handedOverTimer = null;
    }
}
