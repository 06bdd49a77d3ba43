namespace GrpcShm.Client.Direct;

/// <summary>
/// Says whether a call has begun, or was cancelled or lost before that. The thread that begins the call, a
/// cancellation, and the completion of a call that has failed may come at once; the first one decides, by
/// compare-and-swap.
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

    /// <summary>Begins the call, unless one of the others was faster.</summary>
    /// <returns>The step before this one: <see cref="Step.None"/> if the call begins.</returns>
    public Step Begin() => Interlocked.CompareExchange(ref _step, Step.Begun, Step.None);

    /// <summary>Notes that the caller's token has fired.</summary>
    /// <returns>
    /// True if the call has begun: then the caller of this method has to give it up. Else the thread that begins the
    /// call does so.
    /// </returns>
    public bool CancelOrFindBegun() =>
        Interlocked.CompareExchange(ref _step, Step.CancelledBefore, Step.None) == Step.Begun;

    /// <summary>Notes that the call has failed.</summary>
    /// <returns>True if it had not begun, so that nothing of it has been sent, nor will be.</returns>
    public bool TryFailBeforeBegun() =>
        Interlocked.CompareExchange(ref _step, Step.FailedBefore, Step.None) == Step.None;

    /// <summary>Prepares it for the next call. By the last user of the call.</summary>
    public void Reuse() => _step = Step.None;
}
