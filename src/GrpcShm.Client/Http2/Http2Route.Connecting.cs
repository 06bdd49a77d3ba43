using GrpcShm.Client.Direct;
using GrpcShm.Client.Http;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Http2;

/// <summary>Its connections.</summary>
internal sealed partial class Http2Route
{
    /// <summary>Takes over a connection that the server wants to use for HTTP/2.</summary>
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
                // Whoever it was made for may have gone. Its context does not flow here: see ClientConnections.Start.
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
            Count(connection);
        }
    }

    /// <summary>
    /// Asks the server, by a connection that the next request will take, unless there is one that has told.
    /// </summary>
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

    private async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
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

        return HandoverStream.Create(connection, context.InitialRequestMessage, ConnectAnotherAsync);
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
}
