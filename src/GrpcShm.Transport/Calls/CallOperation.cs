using System.Threading.Tasks.Sources;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// A wait of a call's user: one at a time, and reused. Its continuation runs where the call's work runs.
/// </summary>
/// <remarks>
/// It needs no <see cref="Turn"/>: the condition is looked at under a gate of the call, so no thread owns the wait, and
/// no signal has to be remembered. Only one thing is decided without the gate: which of several threads ends the wait.
/// </remarks>
/// <typeparam name="TResult">The result of the wait.</typeparam>
internal abstract class CallOperation<TResult>(CallStream call) : ReactorWork, IValueTaskSource<TResult>
{
    private const int Idle = 0;
    private const int Waiting = 1;

    // The wait has ended, and its result has not been taken.
    private const int Ended = 2;

    // The result says whether the token has ended the wait.
    private ManualResetValueTaskSourceCore<bool> _completion;
    private CancellationTokenRegistration _cancellation;
    private CancellationToken _token;
    private bool _isByToken;
    private int _state;

    public override RunProfile Profile => call.Profile;

    public bool IsWaiting => Volatile.Read(ref _state) == Waiting;

    /// <summary>Whether there is a wait that has not completed yet, even if its completion is on its way.</summary>
    public bool IsUnderWay => Volatile.Read(ref _state) switch
    {
        Idle => false,
        Waiting => true,
        _ => _completion.GetStatus(_completion.Version) == ValueTaskSourceStatus.Pending,
    };

    /// <summary>Whether no result of a wait is left to be taken.</summary>
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
        // This comes first: it throws if the token belongs to an earlier wait.
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

    /// <summary>Ends the wait, if there is one. Any thread; of several threads one ends it.</summary>
    /// <param name="isByToken">Whether the waiter is told that the token has fired.</param>
    /// <returns>
    /// Whether there was a wait. Then the caller has to schedule this work, which may be done outside of the gate.
    /// </returns>
    protected bool TryEnd(bool isByToken)
    {
        if (Interlocked.CompareExchange(ref _state, Ended, Waiting) != Waiting)
        {
            return false;
        }

        _isByToken = isByToken;
        return true;
    }

    /// <summary>Ends the wait, since the token has fired.</summary>
    protected abstract void CancelByToken();

    /// <summary>Makes the exception for the waiter if the token has ended the wait.</summary>
    protected virtual Exception TakeCanceled(CancellationToken token) => new OperationCanceledException(token);

    /// <summary>Takes the result of the wait. By the waiter, once.</summary>
    protected abstract TResult TakeResult();
}
