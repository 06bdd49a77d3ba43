namespace GrpcShm.Client.Native;

/// <summary>
/// Gives up calls: carries the token of a call, and ends the call when its deadline has passed. Pooled: it serves one
/// call after the other.
/// </summary>
/// <remarks>
/// The timer stays armed when a call ends, since most callers give each call the same time. A timer that fires for a
/// call that has ended finds another call, or none, and looks at that call's deadline. The gate orders the two: a call
/// that relies on a timer that is armed, and the timer that finds no call and disarms itself.
/// </remarks>
internal sealed class CallCancellation : IDisposable
{
    // A timer takes no longer time. It is armed again until the deadline has passed.
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private readonly CancellationTokenSource _source = new();
    private readonly Lock _gate = new();

    // Under the gate. The call is held weakly: a stream that its caller has forgotten is given up when it is collected,
    // see ResponseGuard. The time is that of Environment.TickCount64, as the timer's, which no clock change moves.
    private readonly WeakReference<NativeCall> _call = new(null!);
    private bool _isServing;
    private Timer? _timer;
    private long _armedFor = long.MaxValue;

    /// <summary>Gives the call up while there is no response.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>Serves a call, and watches its deadline.</summary>
    public void Begin(NativeCall call)
    {
        lock (_gate)
        {
            _call.SetTarget(call);
            _isServing = true;
            if (call.Deadline != DateTime.MaxValue)
            {
                Arm(call.Deadline);
            }
        }
    }

    /// <summary>Fires the token. It does not serve another call then.</summary>
    public void Cancel() => _source.Cancel();

    /// <summary>Ends the use by a call.</summary>
    /// <returns>True if it may serve another call.</returns>
    public bool TryReuse()
    {
        lock (_gate)
        {
            _call.SetTarget(null!);
            _isServing = false;
        }

        return _source.TryReset();
    }

    /// <summary>
    /// True if its call has been collected before it ended: the caller has forgotten it, and nobody gives this back.
    /// </summary>
    public bool IsForgotten
    {
        get
        {
            lock (_gate)
            {
                return _isServing && !_call.TryGetTarget(out _);
            }
        }
    }

    /// <summary>The call that it serves; nothing if there is none.</summary>
    public NativeCall? FindCall()
    {
        lock (_gate)
        {
            return _call.TryGetTarget(out var call) ? call : null;
        }
    }

    /// <summary>
    /// Ends the watch over the deadline of a call that was given up, so that nothing holds that call any longer. Any
    /// thread. The token stays, since the call may still be asked for it; it has nothing to be disposed of.
    /// </summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _call.SetTarget(null!);
            _isServing = false;
            _timer?.Dispose();
        }
    }

    /// <summary>Arms the timer for a deadline, unless it is armed for an earlier time.</summary>
    private void Arm(DateTime deadline)
    {
        var wait = deadline - DateTime.UtcNow;
        wait = wait < TimeSpan.Zero ? TimeSpan.Zero : wait > LongestWait ? LongestWait : wait;

        // Up to the next millisecond, since a timer cuts off what is less.
        var due = (long)Math.Ceiling(wait.TotalMilliseconds);
        var now = Environment.TickCount64;
        if (_armedFor <= now + due)
        {
            return;
        }

        _armedFor = now + due;
        if (_timer is null)
        {
            // The flow of the caller's context would keep the context of one call for all later calls.
            using var flow = ExecutionContext.SuppressFlow();
            _timer = new Timer(static state => ((CallCancellation)state!).Fire(), this, due, Timeout.Infinite);
        }
        else
        {
            _timer.Change(due, Timeout.Infinite);
        }
    }

    private void Fire()
    {
        NativeCall? overdue = null;
        lock (_gate)
        {
            _armedFor = long.MaxValue;
            if (_call.TryGetTarget(out var call) && call.Deadline != DateTime.MaxValue)
            {
                if (call.Deadline > DateTime.UtcNow)
                {
                    Arm(call.Deadline);
                }
                else
                {
                    overdue = call;
                }
            }
        }

        // Not under the gate: the call may go on in here. It may have ended meanwhile, which it knows by itself.
        overdue?.Expire();
    }
}
