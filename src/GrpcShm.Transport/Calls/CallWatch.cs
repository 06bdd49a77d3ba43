namespace GrpcShm.Transport.Calls;

/// <summary>
/// Looks how long the calls of a connection, and the connection itself, have been waiting for the peer. On a server,
/// and by its heartbeat, which is one thread at a time, unless a member says otherwise.
/// </summary>
/// <remarks>
/// <code>
/// field               written by                                    read by
/// _clock              the heartbeat                                 threads that begin to wait; an old or new number
/// _blockLimit         the heartbeat, before _hasOverdueBlocks       the thread that receives, after it
/// _hasOverdueBlocks   the heartbeat: true;                          the thread that receives
///                     the thread that receives: false
/// </code>
/// The heartbeat signals the receiving thread after it has set <c>_hasOverdueBlocks</c>. The receiving thread clears it
/// before it looks.
/// </remarks>
/// <param name="carrier">The connection.</param>
/// <param name="calls">Its calls.</param>
/// <param name="writer">Puts frames into the connection's ring.</param>
/// <param name="sender">Knows the calls that wait for room.</param>
/// <param name="control">Knows whether the ring is still there.</param>
/// <param name="receiving">Lets the thread that receives look once more.</param>
internal sealed class CallWatch(
    CallConnection carrier,
    CallTable calls,
    FrameWriter writer,
    CallSender sender,
    ControlFrames control,
    IThreadPoolWorkItem receiving)
{
    // Not 0, which means that nothing waits.
    private long _clock = 1;
    private SendWatch _roomWatch;
    private long _blockLimit;
    private bool _hasOverdueBlocks;

    /// <summary>The time of the last heartbeat, in ticks; it stays the same if there are none. Any thread.</summary>
    public long Clock => Volatile.Read(ref _clock);

    /// <summary>Lets time pass, and ends the calls that their peer has let wait for too long.</summary>
    /// <param name="elapsed">The time since the last heartbeat.</param>
    /// <param name="limits">How long calls may wait.</param>
    /// <param name="isStuck">Whether the peer does not take the frames in the ring, so that the connection has to
    /// end.</param>
    /// <returns>Whether there is a call that this side has not ended.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public bool Tick(TimeSpan elapsed, CallTimeLimits limits, out bool isStuck)
    {
        var last = _clock;
        Volatile.Write(ref _clock, last + elapsed.Ticks);
        var isBusy = false;
        var hasOverdueBlocks = false;
        for (var slot = 0; calls.Count > 0 && calls.TryLookAt(slot, out var call); slot++)
        {
            if (call is not null && call.Look(carrier, last, limits, out var overdue))
            {
                isBusy = true;
                hasOverdueBlocks |= overdue == Overdue.Block;
            }
        }

        if (hasOverdueBlocks)
        {
            // The pieces of a block belong to the thread that receives.
            Volatile.Write(ref _blockLimit, limits.Block!.Value.Ticks);
            Volatile.Write(ref _hasOverdueBlocks, true);
            ThreadPool.UnsafeQueueUserWorkItem(receiving, preferLocal: false);
        }

        isStuck = limits.Sent is { } rate && IsStuck(rate);
        return isBusy;
    }

    /// <summary>
    /// Ends calls whose blocks have not come in time, if the heartbeat has seen some. By the thread that receives.
    /// </summary>
    public void EndOverdueBlocks()
    {
        if (!Volatile.Read(ref _hasOverdueBlocks))
        {
            return;
        }

        Volatile.Write(ref _hasOverdueBlocks, false);
        var limit = TimeSpan.FromTicks(Volatile.Read(ref _blockLimit));
        for (var slot = 0; calls.TryLookAt(slot, out var call); slot++)
        {
            call?.EndIfBlockIsOverdue(carrier, Clock, limit);
        }
    }

    private bool IsStuck(in DataRate rate)
    {
        var waits = sender.HasWaiting;
        long taken = 0;
        if (waits && !control.TryCountTaken(out taken))
        {
            // The connection has ended.
            return false;
        }

        return _roomWatch.IsOverdue(_clock, waits, taken, writer.Published - taken, rate);
    }
}
