using GrpcShm.TestHost.Contracts;

namespace GrpcShm.TestHost.Services;

/// <summary>The phase that a watched call has reached.</summary>
internal sealed class CallRecord
{
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Notes that the call has reached a phase, and returns true if this is new.</summary>
    public bool Reach(CallPhase phase) => Find(phase).TrySetResult();

    public Task WhenAsync(CallPhase phase) => Find(phase).Task;

    private TaskCompletionSource Find(CallPhase phase) => phase switch
    {
        CallPhase.Started => _started,
        CallPhase.Cancelled => _cancelled,
        CallPhase.Finished => _finished,
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "A call does not come to this phase."),
    };
}
