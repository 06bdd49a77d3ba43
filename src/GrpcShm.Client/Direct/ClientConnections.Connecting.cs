using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Client.Direct;

/// <summary>How connections are made.</summary>
internal sealed partial class ClientConnections
{
    /// <summary>Waits for a connection, and for a server first if the call says so.</summary>
    private async Task WaitForConnectionAsync(IPendingCall pending)
    {
        ConnectAttempt? failed = null;
        do
        {
            failed = await TryWaitForConnectionAsync(pending, failed).ConfigureAwait(false);
            if (failed is not null)
            {
                // In the pause the call holds no attempt, so other calls fail as soon as they know that there is no
                // server.
                await _table.PauseAfter(failed).WaitAsync(pending.CancellationToken).ConfigureAwait(false);
            }
        }
        while (failed is not null && !IsOverHttp2);
    }

    /// <summary>Waits for one attempt to connect. All calls that wait share it.</summary>
    /// <param name="pending">The call.</param>
    /// <param name="after">The attempt that the call has seen fail, if it waits for a server.</param>
    /// <returns>The attempt if there is no server at present, and the call waits for one.</returns>
    private async Task<ConnectAttempt?> TryWaitForConnectionAsync(IPendingCall pending, ConnectAttempt? after)
    {
        if (!_table.TryJoin(out var attempt, out var isNew, after))
        {
            return _table.IsDisposed ? throw Failures.CreateDisposed() : null;
        }

        if (isNew)
        {
            Start(attempt);
        }

        try
        {
            await attempt.WhenEndedAsync(pending.CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _table.Leave(attempt);
        }

        return attempt.Failure switch
        {
            null => null,
            { } failure when pending.WaitsForServer && SharedMemoryConnector.MayBecomeReady(failure) => attempt,
            ObjectDisposedException or OperationCanceledException => throw attempt.Failure,
            { } failure => throw Failures.CreateConnecting(pending, failure),
        };
    }

    /// <summary>
    /// Begins to connect, on this thread if no foreign code runs for it: connecting does not block, and a thread switch
    /// is saved. The attempt belongs to all calls that wait, so nothing of this call's context flows into it.
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

        _table.End(attempt, hasFailed: failure is not null);
        attempt.End(failure, Failures);
        if (attempt.IsExtra && !hasRoom)
        {
            // No call counts these attempts: a server that goes away at once must not be asked over and over.
            await WakeLaterAsync().ConfigureAwait(false);
        }
        else if (failure is null)
        {
            _queue.Wake();
        }
    }

    /// <summary>Takes over a connection that has been made.</summary>
    /// <returns>True if requests can be sent on it. If not, the calls that wait try again.</returns>
    private bool Take(ConnectAttempt attempt, SharedMemoryConnection connection)
    {
        if (connection.Mode != ConnectionModes.Calls)
        {
            if (_table.IsWanted(attempt))
            {
                _byteRoute!.HandOver(connection);
                return true;
            }

            connection.Dispose();
            return false;
        }

        DirectConnection direct;
        try
        {
            direct = new DirectConnection(connection, this);
        }
        catch (ObjectDisposedException)
        {
            // The server has gone in the meantime.
            return false;
        }

        return _table.TryAdd(attempt, direct);
    }
}
