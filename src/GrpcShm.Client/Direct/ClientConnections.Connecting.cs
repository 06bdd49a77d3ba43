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
            if (_isDisposed)
            {
                throw Failures.Disposed();
            }

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
            throw exception is ObjectDisposedException ? exception : Failures.Connecting(exception);
        }
        finally
        {
            Leave(attempt);
        }
    }

    /// <summary>
    /// Begins to connect, right here if that runs no foreign code: it does not block, and saves a hop. What comes of it
    /// belongs to all who wait, so nothing of this call's context goes with it.
    /// </summary>
    private void Start(ConnectAttempt attempt)
    {
        if (Options.AuthorizeServer is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static s => _ = s.Owner.RunAsync(s.Attempt), (Owner: this, Attempt: attempt), preferLocal: false);
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
        var hasRoom = false;
        try
        {
            var connection = await _connector.ConnectAsync(attempt.Token).ConfigureAwait(false);
            hasRoom = Take(attempt, connection);
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        lock (_gate)
        {
            _attempt = _attempt == attempt ? null : _attempt;
        }

        attempt.End(failure, Failures);
        if (attempt.IsExtra && !hasRoom)
        {
            // Nobody counts these: a server that goes away at once must not be asked over and over.
            await WakeLaterAsync().ConfigureAwait(false);
        }
        else if (failure is null)
        {
            _queue.Wake();
        }
    }

    /// <summary>Takes over a connection that has been made.</summary>
    /// <returns>Whether requests can be sent on it. If not, who waits tries again.</returns>
    private bool Take(ConnectAttempt attempt, SharedMemoryConnection connection)
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
                // The server has gone in the meantime.
                return false;
            }
        }

        bool isWanted;
        var isTaken = false;
        lock (_gate)
        {
            isWanted = _attempt == attempt;
            if (isWanted && direct is { IsRetired: false })
            {
                // One that retires from here on is removed by that, under the gate. One that has done so has found
                // nothing to remove.
                isTaken = true;
                Volatile.Write(ref _live, [.. _live, direct]);
            }
        }

        if (direct is null)
        {
            if (isWanted)
            {
                _byteRoute!.HandOver(connection);
                return true;
            }

            connection.Dispose();
        }
        else if (!isWanted)
        {
            direct.Retire();
        }

        return isTaken;
    }
}
