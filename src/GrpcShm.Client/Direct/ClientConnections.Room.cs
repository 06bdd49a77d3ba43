namespace GrpcShm.Client.Direct;

/// <summary>What is done while all connections have as many calls as the server takes.</summary>
internal sealed partial class ClientConnections
{
    // After a connection that the server did not want to have.
    private static readonly TimeSpan ConnectPause = TimeSpan.FromMilliseconds(500);

    private volatile bool _isPausing;

    /// <summary>Sends a call when it is its turn and there is room.</summary>
    /// <returns>What has become of it; if there is no connection any more, it has to be made again.</returns>
    private async Task<SendResult> SendInTurnAsync(IPendingCall pending, CallPath path)
    {
        var place = _queue.Enter();
        try
        {
            while (true)
            {
                await place.Value.WaitAsync(pending.CancellationToken).ConfigureAwait(false);
                if (Volatile.Read(ref _isDisposed))
                {
                    throw Failures.Disposed();
                }

                if (SendIfThereIsRoom(pending, path) is var result and not SendResult.NoConnection)
                {
                    return result;
                }

                if (Volatile.Read(ref _live).Length == 0 || _byteRoute is { IsLive: true })
                {
                    return SendResult.NoConnection;
                }

                ConnectAnother();
            }
        }
        finally
        {
            _queue.Leave(place);
        }
    }

    /// <summary>Sends a call, or asks each connection to say when there is room.</summary>
    private SendResult SendIfThereIsRoom(IPendingCall pending, CallPath path)
    {
        foreach (var connection in Volatile.Read(ref _live))
        {
            if (connection.IsRetired)
            {
                // Just about to be removed by whoever retires it. To do so twice does no harm, and nobody waits for one
                // that is gone.
                Remove(connection);
                continue;
            }

            // Somebody who saw nobody wait may have been faster.
            while (connection.Calls.AskForRoom() && !connection.IsRetired)
            {
                if (_calls.Rent().Begin(pending, connection, path) is var result and not SendResult.NoConnection)
                {
                    return result;
                }
            }
        }

        return SendResult.NoConnection;
    }

    /// <summary>
    /// Begins to make one more connection, if there are more calls than those that there are have room for.
    /// </summary>
    private void ConnectAnother()
    {
        if (!Options.EnableMultipleConnections || _isPausing)
        {
            return;
        }

        ConnectAttempt attempt;
        lock (_gate)
        {
            if (_isDisposed || _attempt is not null || !IsMoreThanRoom())
            {
                return;
            }

            // Nobody's in particular: it is not given up with the one who asked for it.
            attempt = _attempt = new ConnectAttempt { IsExtra = true, Waiters = 1 };
        }

        Start(attempt);
    }

    /// <summary>Whether there are more calls than room, by those who make them. By the first who waits.</summary>
    /// <remarks>
    /// Slots are no measure: one is given back a little after its caller has gone on. Nobody may be counted twice, or
    /// each such moment made a connection. So those who wait are counted first, none of whom gets on before the first;
    /// then who has begun, on all connections; and then who has ended. Who ended one call and began the next in between
    /// is not counted for the first. Who is missed has ended a call, and gives its room back.
    /// </remarks>
    private bool IsMoreThanRoom()
    {
        var live = _live;
        long calls = _queue.Count;
        long room = 0;
        Span<uint> begun = live.Length <= 64 ? stackalloc uint[live.Length] : new uint[live.Length];
        Span<bool> isCounted = live.Length <= 64 ? stackalloc bool[live.Length] : new bool[live.Length];
        for (var i = 0; i < live.Length; i++)
        {
            // One that is retired has no room, and its calls are not in anybody's way.
            isCounted[i] = !live[i].IsRetired;
            begun[i] = live[i].Begun;
            room += isCounted[i] ? live[i].Calls.MaxCalls : 0;
        }

        Interlocked.MemoryBarrier();
        for (var i = 0; i < live.Length; i++)
        {
            calls += isCounted[i] ? Math.Max(0, (int)(begun[i] - live[i].Ended)) : 0;
        }

        return calls > room;
    }

    /// <summary>Lets the first who waits try again after a pause.</summary>
    private async Task WakeLaterAsync()
    {
        _isPausing = true;
        await Task.Delay(ConnectPause).ConfigureAwait(false);
        _isPausing = false;
        _queue.Wake();
    }
}
