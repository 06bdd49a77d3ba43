namespace GrpcShm.Client.Direct;

/// <summary>
/// Whether a call has begun, or was cancelled or lost before that. The one who begins the call, a cancellation, and the
/// completion of a call that has failed come at once; the first one decides, by compare-and-swap.
/// </summary>
internal sealed class CallProgress
{
    private Step _step;

    internal enum Step
    {
        None,
        Begun,
        CancelledBefore,
        FailedBefore,
    }

    /// <summary>The call begins, unless one of the others was faster.</summary>
    /// <returns>What was before: nothing, if it begins.</returns>
    public Step Begin() => Interlocked.CompareExchange(ref _step, Step.Begun, Step.None);

    /// <summary>The caller's token has fired.</summary>
    /// <returns>Whether the call has begun, so that it has to be given up. Else that is for the one who begins
    /// it.</returns>
    public bool CancelOrFindBegun() =>
        Interlocked.CompareExchange(ref _step, Step.CancelledBefore, Step.None) == Step.Begun;

    /// <summary>The call has failed.</summary>
    /// <returns>Whether it had not begun, so that nothing of it has been sent, nor will be.</returns>
    public bool TryFailBeforeBegun() =>
        Interlocked.CompareExchange(ref _step, Step.FailedBefore, Step.None) == Step.None;

    /// <summary>Makes it as new. By the last who uses the call.</summary>
    public void Reuse() => _step = Step.None;
}
