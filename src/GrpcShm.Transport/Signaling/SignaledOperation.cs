using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Runs one operation at a time. The operation completes as soon as it can: at once, or when a thread signals that a
/// condition has changed. The object is reused for each operation, so that waiting allocates nothing.
/// </summary>
/// <remarks>
/// <para>Conditions complete the operation: bytes, space, the peer's end, an abort, a cancellation. A thread sets its
/// condition first and then calls <see cref="Signal"/>. Only the thread that has the operation's <see cref="Turn"/>
/// looks at the conditions: the caller, from <see cref="Enter"/> until the operation waits or has completed, and then
/// a thread that signals. The turn is idle while there is no operation, and sealed when there will be none any
/// more.</para>
/// <para>Operations follow one another. If a signal finds the turn idle, the next operation's look sees the condition
/// that was set before the signal.</para>
/// </remarks>
/// <typeparam name="TResult">The result of the operation.</typeparam>
internal abstract class SignaledOperation<TResult> : IValueTaskSource<TResult>, ISignaledOperation
{
    private ManualResetValueTaskSourceCore<TResult> _completion;
    private CancellationTokenRegistration _cancellation;
    private Action? _sealed;
    private Turn _turn;
    private volatile bool _isCanceled;
    private CancellationToken _cancellationToken;

    /// <summary>Whether an operation waits.</summary>
    public bool IsWaiting => _turn.IsWaiting;

    /// <summary>Whether an operation is under way, or no operation can begin any more.</summary>
    protected bool IsBusy => !_turn.IsIdle;

    /// <summary>Looks whether the operation can complete now, as its owner.</summary>
    /// <exception cref="Exception">The operation completes with this exception.</exception>
    protected abstract bool TryComplete([MaybeNullWhen(false)] out TResult result);

    /// <summary>
    /// Tells the peer for what this operation waits, as the owner and before each look: from then on the peer's steps
    /// are signalled.
    /// </summary>
    protected abstract void AnnounceWait();

    /// <summary>
    /// Whether <see cref="AnnounceWait"/> does anything. If not, each change is signalled anyway, and the operation
    /// need not look again before it waits.
    /// </summary>
    protected virtual bool HasToAnnounce => true;

    /// <summary>Whether the continuation may run on the thread that signals, if that is a reactor's.</summary>
    protected abstract bool MayRunInline { get; }

    /// <summary>The target to give another turn when the reactor's present turn is over.</summary>
    protected abstract IRingTarget? RingTarget { get; }

    /// <summary>Starts the operation, after <see cref="Enter"/>; when it completes, it has left.</summary>
    protected ValueTask<TResult> RunAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            Leave();
            return ValueTask.FromCanceled<TResult>(cancellationToken);
        }

        return BeginAsync(cancellationToken);
    }

    /// <summary>
    /// Does the same for a caller that has looked at the token itself. A token that fires from then on ends the
    /// operation only if the operation has to wait.
    /// </summary>
    protected ValueTask<TResult> BeginAsync(CancellationToken cancellationToken)
    {
        var reactor = Reactor.Running;
        if (reactor is not null && RingTarget is { } target && !reactor.TrySpend())
        {
            // The target's turn is over. Ready or not, the operation is looked at again in the next turn.
            return WaitForTurnAsync(reactor, target, cancellationToken);
        }

        try
        {
            if (!TryComplete(out var result))
            {
                return WaitAsync(cancellationToken);
            }

            Leave();
            return ValueTask.FromResult(result);
        }
        catch (Exception exception)
        {
            Leave();
            return ValueTask.FromException<TResult>(exception);
        }
    }

    /// <summary>Takes the turn for an operation, or for a step that must not happen during one or after
    /// sealing.</summary>
    /// <exception cref="InvalidOperationException">Another operation is under way.</exception>
    /// <exception cref="ObjectDisposedException">The operation has been sealed.</exception>
    protected void Enter()
    {
        if (!_turn.TryEnter())
        {
            ThrowCannotEnter();
        }
    }

    /// <summary>Does the same if no operation is under way.</summary>
    protected bool TryEnter() => _turn.TryEnter();

    /// <summary>Ends what <see cref="Enter"/> began.</summary>
    protected void Leave()
    {
        _turn.Leave();

        // The turn is idle, fence, load _sealed. Seal stores _sealed, fences, loads the turn. One of the two seals.
        if (Volatile.Read(ref _sealed) is not null)
        {
            TrySeal();
        }
    }

    /// <inheritdoc/>
    public void Signal(bool onReactor)
    {
        if (_turn.TrySignal())
        {
            Settle(onReactor && MayRunInline);
        }
    }

    /// <inheritdoc/>
    public void Seal(Action afterLast)
    {
        if (Interlocked.CompareExchange(ref _sealed, afterLast, null) is null)
        {
            TrySeal();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<TResult>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<TResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    TResult IValueTaskSource<TResult>.GetResult(short token)
    {
        // Waits for a cancellation callback that is running right now: it must not reach the next operation.
        _cancellation.Dispose();
        return _completion.GetResult(token);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ValueTask<TResult> WaitAsync(CancellationToken cancellationToken)
    {
        var token = Prepare(cancellationToken);
        SettleUnlessWaiting(HasToAnnounce);
        return new ValueTask<TResult>(this, token);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ValueTask<TResult> WaitForTurnAsync(
        Reactor reactor, IRingTarget target, CancellationToken cancellationToken)
    {
        var token = Prepare(cancellationToken);
        reactor.Resume(target);
        SettleUnlessWaiting(hasToLook: false);
        return new ValueTask<TResult>(this, token);
    }

    /// <summary>
    /// Begins to wait. It waits without a look only if nobody has signalled since the operation was entered.
    /// </summary>
    private void SettleUnlessWaiting(bool hasToLook)
    {
        if (hasToLook || !_turn.TryWait())
        {
            Settle(runInline: false);
        }
    }

    private short Prepare(CancellationToken cancellationToken)
    {
        _completion.Reset();
        _isCanceled = false;
        _cancellation = default;
        if (cancellationToken.CanBeCanceled)
        {
            _cancellationToken = cancellationToken;
            _cancellation = cancellationToken.UnsafeRegister(
                static state => ((SignaledOperation<TResult>)state!).Cancel(), this);
        }

        return _completion.Version;
    }

    private void Cancel()
    {
        _isCanceled = true;
        Signal(onReactor: false);
    }

    /// <summary>
    /// Completes the operation, or waits for the next signal. By the owner of the turn, which it gives up.
    /// </summary>
    private void Settle(bool runInline)
    {
        do
        {
            _turn.TakeSignal();
            TResult? result = default;
            Exception? error = null;
            bool done;
            try
            {
                AnnounceWait();
                done = TryComplete(out result);
                if (!done && _isCanceled)
                {
                    error = new OperationCanceledException(_cancellationToken);
                }
            }
            catch (Exception exception)
            {
                done = true;
                error = exception;
            }

            if (done || error is not null)
            {
                Finish(result, error, runInline);
                return;
            }
        }
        while (!_turn.TryWait());
    }

    private void Finish(TResult? result, Exception? error, bool runInline)
    {
        // First idle, then completed: the continuation may start the next operation before SetResult returns.
        _completion.RunContinuationsAsynchronously = !runInline;
        Leave();
        if (error is null)
        {
            _completion.SetResult(result!);
        }
        else
        {
            _completion.SetException(error);
        }
    }

    private void TrySeal()
    {
        if (_turn.TrySeal())
        {
            _sealed!();
        }
    }

    [DoesNotReturn]
    private void ThrowCannotEnter() =>
        throw (_turn.IsSealed
            ? new ObjectDisposedException(GetType().Name, "The shared-memory connection has been closed.")
            : new InvalidOperationException("Another operation of the same kind is under way on this connection."));
}
