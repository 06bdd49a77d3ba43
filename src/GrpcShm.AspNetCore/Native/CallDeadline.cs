namespace GrpcShm.AspNetCore.Native;

/// <summary>
/// Ends calls at their deadlines, one after the other: it is pooled with the object that serves the calls, and so is
/// its timer.
/// </summary>
/// <remarks>
/// Under the gate: <c>_call</c>, the call whose deadline counts, and when it began. Whoever takes it away decides how
/// the call ends: the handler that has come to its end, or the timer. A timer that was set for an earlier call finds
/// none, or one whose deadline has not passed.
/// </remarks>
internal sealed class CallDeadline
{
    // The longest time of a timer, in milliseconds. A later deadline sets it again.
    private const long MostOfTimer = uint.MaxValue - 1;

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private ITimer? _timer;
    private NativeCallContext? _call;
    private long _beganAt;
    private TimeSpan _timeout;

    public CallDeadline(TimeProvider time) => _time = time;

    /// <summary>Begins to watch the deadline of a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="timeout">The time that it has.</param>
    public void Begin(NativeCallContext call, TimeSpan timeout)
    {
        lock (_gate)
        {
            call.SetDeadline(_time.GetUtcNow().UtcDateTime + timeout);
            _call = call;
            _beganAt = _time.GetTimestamp();
            _timeout = timeout;
            if (_timer is null)
            {
                CreateTimer();
            }

            _timer!.Change(TimerTime(timeout), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Ends the watch, since the handler has come to its end.</summary>
    /// <returns>False if the deadline has ended the call.</returns>
    public bool TryEnd(NativeCallContext call)
    {
        lock (_gate)
        {
            if (_call != call)
            {
                return false;
            }

            _call = null;
            _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    // A timer shows too early a time by up to a part of a millisecond.
    private static TimeSpan TimerTime(TimeSpan remaining) => TimeSpan.FromMilliseconds(
        Math.Min(MostOfTimer, (long)Math.Ceiling(remaining.TotalMilliseconds)));

    // The context of the first call must not go with all later ones.
    private void CreateTimer()
    {
        var isSuppressed = ExecutionContext.IsFlowSuppressed();
        var flow = isSuppressed ? default : ExecutionContext.SuppressFlow();
        try
        {
            _timer = _time.CreateTimer(
                static state => ((CallDeadline)state!).Look(),
                this,
                Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan);
        }
        finally
        {
            if (!isSuppressed)
            {
                flow.Undo();
            }
        }
    }

    private void Look()
    {
        NativeCallContext call;
        lock (_gate)
        {
            if (_call is null)
            {
                return;
            }

            call = _call;

            // Not by the clock of the day, which may be set back.
            var remaining = _timeout - _time.GetElapsedTime(_beganAt);
            if (remaining > TimeSpan.Zero)
            {
                _timer!.Change(TimerTime(remaining), Timeout.InfiniteTimeSpan);
                return;
            }

            _call = null;
            call.BeginExpiry();
        }

        _ = call.ExpireAsync();
    }
}
