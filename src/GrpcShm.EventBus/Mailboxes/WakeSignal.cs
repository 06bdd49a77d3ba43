using System.Threading.Tasks.Sources;

namespace GrpcShm.EventBus.Mailboxes;

/// <summary>An auto-reset signal with one waiter. It allocates nothing.</summary>
/// <remarks>
/// One word holds the state: idle (0), signalled (1), waiting (2). <see cref="Set()"/> exchanges it for signalled and
/// completes the wait if the word was waiting: only one caller can see that, so the source is completed once. The
/// waiter moves the word from idle to waiting by compare-and-swap, after it has reset the source. When the waiter comes
/// back, it makes the word idle *before* it looks for work. So work that is added before a <see cref="Set()"/> is seen
/// in that look or leads to another one. This is no turn of the transport's: there is one waiter, and only the waiter
/// looks for work, so a caller that sets the signal owns nothing by it, and a signal before the wait is remembered.
/// </remarks>
internal sealed class WakeSignal : IValueTaskSource
{
    private const int Idle = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> _source;
    private int _state;

    public WakeSignal(bool runInline) => _source.RunContinuationsAsynchronously = !runInline;

    /// <summary>True if the waiter waits. It is an estimate, since the wait may be over at once.</summary>
    public bool IsWaiting => Volatile.Read(ref _state) == Waiting;

    public void Set()
    {
        // The word is not read first: the exchange is also the fence between the work and the word.
        if (Interlocked.Exchange(ref _state, Signalled) == Waiting)
        {
            _source.SetResult(true);
        }
    }

    /// <summary>As <see cref="Set()"/>; the caller decides whether the waiter runs on this thread.</summary>
    public void Set(bool runInline)
    {
        if (Interlocked.Exchange(ref _state, Signalled) == Waiting)
        {
            // Only the caller that ends the wait gets here, and the waiter touches the source only when it runs.
            _source.RunContinuationsAsynchronously = !runInline;
            _source.SetResult(true);
        }
    }

    public ValueTask WaitAsync()
    {
        _source.Reset();
        if (Interlocked.CompareExchange(ref _state, Waiting, Idle) == Idle)
        {
            return new ValueTask(this, _source.Version);
        }

        Interlocked.Exchange(ref _state, Idle);
        return ValueTask.CompletedTask;
    }

    public void GetResult(short token)
    {
        _source.GetResult(token);
        Interlocked.Exchange(ref _state, Idle);
    }

    public ValueTaskSourceStatus GetStatus(short token) => _source.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);
}
