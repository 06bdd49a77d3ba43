using System.IO.Pipelines;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>Runs what waits for a call's data, where the call's work runs.</summary>
internal sealed class ContinuationWork(Call call) : ReactorWork
{
    private Action<object?>? _action;
    private object? _state;

    public override RunProfile Profile => call.Profile;

    public void Schedule(Action<object?> action, object? state)
    {
        if (Interlocked.CompareExchange(ref _action, action, null) is null)
        {
            _state = state;
            Schedule();
        }
        else
        {
            // A reader that was cancelled while its continuation was on its way, say. Rare enough for an allocation.
            ThreadPool.UnsafeQueueUserWorkItem(action, state, preferLocal: false);
        }
    }

    public override void Run()
    {
        var (action, state) = (_action!, _state);

        // First free, then run: the continuation may wait for the next data before it returns.
        _state = null;
        Volatile.Write(ref _action, null);
        action(state);
    }

    /// <summary>Lets a pipe run its continuations here.</summary>
    internal sealed class Scheduler(Call call) : PipeScheduler
    {
        private readonly ContinuationWork _work = new(call);

        public override void Schedule(Action<object?> action, object? state) => _work.Schedule(action, state);
    }
}
