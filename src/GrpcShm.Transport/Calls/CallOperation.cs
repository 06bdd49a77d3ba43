using System.Threading.Tasks.Sources;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// A wait of one who uses a call: one at a time, reused. What waits for it runs where the call's work runs.
/// </summary>
/// <remarks>
/// Not a <see cref="Turn"/>: looks at what is waited for are made under a gate of the call's, so nobody owns the wait,
/// and no signal has to be remembered. All that is decided here without the gate is which of several ends the wait.
/// </remarks>
/// <typeparam name="TResult">What it waits for.</typeparam>
internal abstract class CallOperation<TResult>(CallStream call) : ReactorWork, IValueTaskSource<TResult>
{
    private const int Idle = 0;
    private const int Waiting = 1;

    // And its result has not been taken.
    private const int Ended = 2;

    // Whether it was the token that ended the wait.
    private ManualResetValueTaskSourceCore<bool> _completion;
    private CancellationTokenRegistration _cancellation;
    private CancellationToken _token;
    private bool _isByToken;
    private int _state;

    public override RunProfile Profile => call.Profile;

    public bool IsWaiting => Volatile.Read(ref _state) == Waiting;

    /// <summary>Whether there is a wait that has not completed yet, be it that its completion is on its way.</summary>
    public bool IsUnderWay => Volatile.Read(ref _state) switch
    {
        Idle => false,
        Waiting => true,
        _ => _completion.GetStatus(_completion.Version) == ValueTaskSourceStatus.Pending,
    };

    /// <summary>Whether nobody will ask for the result of a wait any more.</summary>
    public bool IsTaken => Volatile.Read(ref _state) == Idle;

    /// <summary>The call.</summary>
    protected CallStream Call => call;

    /// <summary>Begins to wait. Under the gate under which the wait is ended.</summary>
    public ValueTask<TResult> Start()
    {
        _completion.Reset();
        _isByToken = false;
        Volatile.Write(ref _state, Waiting);
        return new ValueTask<TResult>(this, _completion.Version);
    }

    /// <summary>Lets a token end the wait. Not under the gate: a token that has fired calls back at once.</summary>
    public void CancelBy(CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            _token = token;
            _cancellation = token.UnsafeRegister(
                static state => ((CallOperation<TResult>)state!).CancelByToken(), this);
        }
    }

    public override void Run() => _completion.SetResult(_isByToken);

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<TResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    TResult IValueTaskSource<TResult>.GetResult(short token)
    {
        // First: throws if it is of an earlier wait.
        var isByToken = _completion.GetResult(token);
        try
        {
            // Waits for a callback that is under way, which must not end the next wait.
            _cancellation.Dispose();
            _cancellation = default;
            return isByToken ? throw TakeCanceled(_token) : TakeResult();
        }
        finally
        {
            Volatile.Write(ref _state, Idle);
        }
    }

    /// <summary>Ends the wait, if there is one. Any thread; one of several wins.</summary>
    /// <param name="isByToken">Whether whoever waits is told that the token has fired.</param>
    /// <returns>Whether there was one. Then it has to be scheduled, which may be done outside of the gate.</returns>
    protected bool TryEnd(bool isByToken)
    {
        if (Interlocked.CompareExchange(ref _state, Ended, Waiting) != Waiting)
        {
            return false;
        }

        _isByToken = isByToken;
        return true;
    }

    /// <summary>The token has fired: ends the wait.</summary>
    protected abstract void CancelByToken();

    /// <summary>What whoever waits is told since the token has ended the wait.</summary>
    protected virtual Exception TakeCanceled(CancellationToken token) => new OperationCanceledException(token);

    /// <summary>What the wait has led to. By whoever waits, once.</summary>
    protected abstract TResult TakeResult();
}
