using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.Client.Direct;

/// <summary>How connections are made.</summary>
internal sealed partial class ClientConnections
{
    /// <summary>Waits for a connection, which all who wait share.</summary>
    private async Task WaitForConnectionAsync(CancellationToken cancellationToken)
    {
        ConnectAttempt attempt;
        bool isFirst;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(HttpMessageHandler));
            if (_live.Length > 0)
            {
                return;
            }

            isFirst = _attempt is null;
            attempt = _attempt ??= new ConnectAttempt();
            attempt.Waiters++;
        }

        if (isFirst)
        {
            Start(attempt);
        }

        try
        {
            await attempt.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw exception is ObjectDisposedException ? exception : CallFailures.Connecting(exception);
        }
        finally
        {
            Leave(attempt);
        }
    }

    /// <summary>
    /// Begins to connect, right here if that runs no foreign code: it does not block, and saves a hop. What comes of it belongs
    /// to all who wait, so nothing of this call's context goes with it.
    /// </summary>
    private void Start(ConnectAttempt attempt)
    {
        if (Options.AuthorizeServer is not null || ExecutionContext.IsFlowSuppressed())
        {
            ThreadPool.UnsafeQueueUserWorkItem(static s => _ = s.Owner.RunAsync(s.Attempt), (Owner: this, Attempt: attempt), preferLocal: false);
            return;
        }

        using (ExecutionContext.SuppressFlow())
        {
            _ = RunAsync(attempt);
        }
    }

    /// <summary>One who waited does so no more. With nobody left, there is nobody to connect for.</summary>
    private void Leave(ConnectAttempt attempt)
    {
        lock (_gate)
        {
            if (--attempt.Waiters > 0 || _attempt != attempt)
            {
                return;
            }

            _attempt = null;
        }

        attempt.Cancel();
    }

    private async Task RunAsync(ConnectAttempt attempt)
    {
        Exception? failure = null;
        try
        {
            var connection = await _connector.ConnectAsync(attempt.Token).ConfigureAwait(false);
            Take(attempt, connection);
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        lock (_gate)
        {
            _attempt = _attempt == attempt ? null : _attempt;
        }

        attempt.End(failure);
        if (failure is null)
        {
            _queue.Wake();
        }
        else if (attempt.IsExtra)
        {
            await WakeLaterAsync().ConfigureAwait(false);
        }
    }

    private void Take(ConnectAttempt attempt, SharedMemoryConnection connection)
    {
        DirectConnection? direct = null;
        if (connection.Mode == ConnectionModes.Calls)
        {
            try
            {
                direct = new DirectConnection(connection, this);
            }
            catch (ObjectDisposedException)
            {
                // The server has gone in the meantime. Who waits tries again.
                return;
            }
        }

        bool isWanted;
        lock (_gate)
        {
            isWanted = _attempt == attempt;
            if (isWanted && direct is not null)
            {
                Volatile.Write(ref _live, [.. _live, direct]);
            }
        }

        if (direct is null)
        {
            if (isWanted)
            {
                Http2!.HandOver(connection);
            }
            else
            {
                connection.Dispose();
            }
        }
        else if (!isWanted)
        {
            direct.Retire();
        }
    }
}
