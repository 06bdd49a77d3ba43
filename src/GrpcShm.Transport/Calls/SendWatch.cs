namespace GrpcShm.Transport.Calls;

/// <summary>
/// Watches whether a receiver takes data as fast as it has to. As in Kestrel, sent bytes buy the time in which they
/// have to be taken, and a fast receiver is not blamed for a pause. Unlike in Kestrel, they buy no more time than the
/// unread bytes may take.
/// </summary>
internal struct SendWatch
{
    private long _progress;
    private long _deadline;

    /// <summary>Looks at the receiver, at each heartbeat.</summary>
    /// <param name="clock">The time.</param>
    /// <param name="waits">Whether data could not be sent.</param>
    /// <param name="progress">How many bytes have been sent, or have been taken, since the beginning.</param>
    /// <param name="unread">How many of the sent bytes the receiver may not have read yet.</param>
    /// <param name="rate">The rate at which the receiver has to take data.</param>
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
