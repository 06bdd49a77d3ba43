using System.IO.Pipelines;
using System.Threading.Tasks.Sources;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>A flush that waits for credit or for room in the ring. One at a time, reused.</summary>
internal sealed class FlushOperation(Call call) : ReactorWork, IValueTaskSource<FlushResult>
{
    private const int Idle = 0;
    private const int Waiting = 1;

    private ManualResetValueTaskSourceCore<FlushResult> _completion;
    private CancellationTokenRegistration _cancellation;
    private CancellationToken _token;
    private FlushResult _result;
    private bool _isCanceled;
    private int _state;

    public override RunProfile Profile => call.Profile;

    public bool IsWaiting => Volatile.Read(ref _state) == Waiting;

    /// <summary>Begins to wait. Under the call's gate, since what ends it comes under that, too.</summary>
    public ValueTask<FlushResult> Start()
    {
        _completion.Reset();
        _isCanceled = false;
        Volatile.Write(ref _state, Waiting);
        return new ValueTask<FlushResult>(this, _completion.Version);
    }

    /// <summary>Lets a token end the wait. Not under the gate: a token that has fired calls back at once.</summary>
    public void CancelBy(CancellationToken token)
    {
        if (token.CanBeCanceled)
        {
            _token = token;
            _cancellation = token.UnsafeRegister(static state => ((Call)state!).CancelFlush(byToken: true), call);
        }
    }

    /// <summary>Ends the wait, if there is one. Any thread; one of several wins.</summary>
    public void Wake(bool isCompleted = true, bool isCanceled = false, bool byToken = false)
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Waiting) == Waiting)
        {
            _result = new FlushResult(isCanceled, isCompleted);
            _isCanceled = byToken;
            Schedule();
        }
    }

    public override void Run()
    {
        if (_isCanceled)
        {
            _completion.SetException(new OperationCanceledException(_token));
        }
        else
        {
            _completion.SetResult(_result);
        }
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _completion.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _completion.OnCompleted(continuation, state, token, flags);

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        return _completion.GetResult(token);
    }
}
