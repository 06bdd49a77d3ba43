namespace GrpcShm.EventBus.Client;

/// <summary>
/// From one call that connects a client to the end of what it began: any number of sessions, one after the other.
/// </summary>
internal sealed class LinkSpan(CancellationTokenSource stopping, Task previous)
{
    public CancellationTokenSource Stopping { get; } = stopping;

    /// <summary>
    /// Cancelled when it is to end. Its source may have been disposed of when the token is looked at.
    /// </summary>
    public CancellationToken Token { get; } = stopping.Token;

    /// <summary>Completes when there is nothing left of the span before.</summary>
    public Task Previous { get; } = previous;

    /// <summary>Completes with the first session.</summary>
    public TaskCompletionSource First { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when nothing is left of it.</summary>
    public TaskCompletionSource Over { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
