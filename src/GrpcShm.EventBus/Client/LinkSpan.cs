namespace GrpcShm.EventBus.Client;

/// <summary>
/// The time from a call that connects a client to the end of that connection: any number of sessions, one after the
/// other.
/// </summary>
internal sealed class LinkSpan(CancellationTokenSource stopping, Task previous)
{
    public CancellationTokenSource Stopping { get; } = stopping;

    /// <summary>
    /// Cancelled when the span is to end. Its source may have been disposed of when a reader looks at the token.
    /// </summary>
    public CancellationToken Token { get; } = stopping.Token;

    /// <summary>
    /// How many callers wait, or have waited, for the first session and have not given up. The link's lock guards it.
    /// </summary>
    public int Callers { get; set; }

    /// <summary>Completes when nothing is left of the span before.</summary>
    public Task Previous { get; } = previous;

    /// <summary>Completes when the first session is opened.</summary>
    public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when nothing is left of this span.</summary>
    public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
