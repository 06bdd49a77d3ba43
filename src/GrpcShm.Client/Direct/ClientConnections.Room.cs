namespace GrpcShm.Client.Direct;

/// <summary>What is done while every connection has as many calls as the server takes.</summary>
internal sealed partial class ClientConnections
{
    // How long no further connection is made after one that gave no room.
    private static readonly TimeSpan ConnectPause = TimeSpan.FromMilliseconds(500);

    private volatile bool _isPausing;

    /// <summary>Sends a call when it is the first of those that wait, and a connection has room.</summary>
    /// <returns>What has become of it; if there is no connection any more, one has to be made again.</returns>
    private async Task<SendResult> SendInTurnAsync(IPendingCall pending, CallTarget target)
    {
        var place = _queue.Enter();
        try
        {
            while (true)
            {
                await place.Value.WaitAsync(pending.CancellationToken).ConfigureAwait(false);
                if (_table.IsDisposed)
                {
                    throw Failures.CreateDisposed();
                }

                if (SendIfThereIsRoom(pending, target) is var result and not SendResult.NoConnection)
                {
                    return result;
                }

                if (_table.Live.Length == 0 || IsOverHttp2)
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

    /// <summary>Sends a call, or asks each connection to tell when it has room.</summary>
    private SendResult SendIfThereIsRoom(IPendingCall pending, CallTarget target)
    {
        foreach (var connection in _table.Live)
        {
            if (connection.IsRetired)
            {
                // Whoever retires the connection is about to remove it. To remove it twice does no harm, and no call
                // waits for a connection that is gone.
                Remove(connection);
                continue;
            }

            // A call that saw the queue empty may have been faster.
            while (connection.Calls.AskForRoom() && !connection.IsRetired)
            {
                if (pending.Carriers.Rent().Begin(pending, connection, target) is var result
                    and not SendResult.NoConnection)
                {
                    return result;
                }
            }
        }

        return SendResult.NoConnection;
    }

    /// <summary>
    /// Begins to make one more connection, if there are more calls than the present connections have room for.
    /// </summary>
    private void ConnectAnother()
    {
        if (Options.EnableMultipleConnections && !_isPausing && _table.BeginExtra(_isMoreThanRoom) is { } attempt)
        {
            Start(attempt);
        }
    }

    /// <summary>
    /// True if there are more calls than room, counted by those who make the calls. Asked by the first that waits.
    /// </summary>
    /// <remarks>
    /// Slots are no measure: a slot is given back a little after its caller has gone on. No call may be counted twice,
    /// or each such moment would make a connection. So the calls that wait are counted first, none of which goes on
    /// before the first; then the calls that have begun, on all connections; then the calls that have ended. A caller
    /// that ended one call and began the next in between is not counted for the first. A call that is missed has ended,
    /// and gives its room back.
    /// </remarks>
    private bool IsMoreThanRoom(DirectConnection[] live)
    {
        long calls = _queue.Count;
        long room = 0;
        Span<uint> begun = live.Length <= 64 ? stackalloc uint[live.Length] : new uint[live.Length];
        Span<bool> isCounted = live.Length <= 64 ? stackalloc bool[live.Length] : new bool[live.Length];
        for (var i = 0; i < live.Length; i++)
        {
            // A retired connection has no room, and its calls are not in anybody's way.
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

    /// <summary>Lets the first call that waits try again after a pause.</summary>
    private async Task WakeLaterAsync()
    {
        _isPausing = true;
        await Task.Delay(ConnectPause).ConfigureAwait(false);
        _isPausing = false;
        _queue.Wake();
    }
}
