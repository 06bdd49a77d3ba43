namespace GrpcShm.Transport.Calls;

/// <summary>
/// Whether a receiver takes what is sent to it as fast as it has to. As in Kestrel, what has been sent buys the time
/// that it may take, and a fast receiver is not blamed for a pause; other than there, it buys no more than what can be
/// unread at the most.
/// </summary>
internal struct SendWatch
{
    private long _progress;
    private long _deadline;

    /// <summary>Looks at it, at each heartbeat.</summary>
    /// <param name="clock">The time.</param>
    /// <param name="waits">Whether something could not be sent.</param>
    /// <param name="progress">How many bytes have got on their way, or have been taken, since the beginning.</param>
    /// <param name="unread">How many of what has been sent the receiver may not have read yet.</param>
    /// <param name="rate">How fast it has to be.</param>
    public bool IsOverdue(long clock, bool waits, long progress, long unread, in DataRate rate)
    {
        var gone = progress - _progress;
        _progress = progress;
        if (!waits)
        {
            _deadline = 0;
            return false;
        }

        var next = clock + CallTimeLimits.Interval.Ticks;
        var latest = next + rate.TicksFor(unread);
        if (_deadline == 0)
        {
            _deadline = latest;
        }
        else if (gone > 0)
        {
            _deadline = Math.Min(
                latest, Math.Max(next + rate.TicksFor(gone), _deadline + rate.TicksWithoutGrace(gone)));
        }

        return clock > _deadline;
    }
}
