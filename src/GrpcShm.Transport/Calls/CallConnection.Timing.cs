namespace GrpcShm.Transport.Calls;

/// <summary>What the heartbeat of a server does. By one thread, once in a while.</summary>
internal sealed partial class CallConnection
{
    // Not 0, which stands for what does not wait. Written by the heartbeat, read by whoever begins to wait.
    private long _clock = 1;
    private SendWatch _roomWatch;
    private long _blockLimit;
    private bool _hasOverdueBlocks;

    /// <summary>The time of the last heartbeat, in ticks. As it was with the first if there are none.</summary>
    public long Clock => Volatile.Read(ref _clock);

    /// <summary>Lets time pass, and ends those calls that their peer has let wait for too long.</summary>
    /// <param name="elapsed">The time since the last heartbeat.</param>
    /// <param name="limits">How long they may wait.</param>
    /// <param name="isStuck">Whether the peer does not take what is in the ring, so that the connection has to end.</param>
    /// <returns>Whether there is a call that this side has not ended.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public bool Tick(TimeSpan elapsed, CallTimeLimits limits, out bool isStuck)
    {
        var last = _clock;
        Volatile.Write(ref _clock, last + elapsed.Ticks);
        var isBusy = false;
        var hasOverdueBlocks = false;
        for (var slot = 0; _calls.Count > 0 && _calls.TryLookAt(slot, out var call); slot++)
        {
            if (call is not null && call.Look(this, last, limits, out var overdue))
            {
                isBusy = true;
                hasOverdueBlocks |= overdue == Overdue.Block;
            }
        }

        if (hasOverdueBlocks)
        {
            // What has come of a block belongs to the thread that receives.
            Volatile.Write(ref _blockLimit, limits.Block!.Value.Ticks);
            Volatile.Write(ref _hasOverdueBlocks, true);
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        isStuck = limits.Sent is { } rate && IsStuck(rate);
        return isBusy;
    }

    private bool IsStuck(in DataRate rate)
    {
        var waits = !_waiting.IsEmpty;
        long taken = 0;
        if (waits)
        {
            lock (_controlGate)
            {
                if (_isEnded)
                {
                    // The memory may be gone.
                    return false;
                }

                taken = _outbound.Taken;
            }
        }

        return _roomWatch.IsOverdue(_clock, waits, taken, _outbound.Published - taken, rate);
    }

    /// <summary>By the thread that receives.</summary>
    private void EndOverdueBlocks()
    {
        Volatile.Write(ref _hasOverdueBlocks, false);
        var limit = TimeSpan.FromTicks(Volatile.Read(ref _blockLimit));
        for (var slot = 0; _calls.TryLookAt(slot, out var call); slot++)
        {
            call?.EndIfBlockIsOverdue(this, Clock, limit);
        }
    }
}
