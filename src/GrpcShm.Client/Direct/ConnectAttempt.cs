namespace GrpcShm.Client.Direct;

/// <summary>
/// A connection that is being made, and the number of those who wait for it. Cancelled when nobody waits any more.
/// </summary>
internal sealed class ConnectAttempt : CancellationTokenSource
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when there is a connection, or fails when there will be none.</summary>
    public Task Task => _completion.Task;

    /// <summary>True if the connection is for more room beside other connections.</summary>
    public bool IsExtra { get; init; }

    /// <summary>The number of those who wait. Under the gate of the owner.</summary>
    public int Waiters { get; set; }

    /// <summary>
    /// The pause after the attempt, once somebody has asked for it. Under the gate of the owner.
    /// </summary>
    public Task? Pause { get; set; }

    /// <summary>Why there is no connection; nothing if there is one, or it is not known yet.</summary>
    public Exception? Failure => _completion.Task.Exception?.InnerException;

    /// <summary>
    /// Waits until it is known what came of the attempt. Throws nothing if it has failed: many may wait, and most of
    /// them only for the next attempt.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled before.</exception>
    public async Task WhenEndedAsync(CancellationToken cancellationToken)
    {
        await Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!Task.IsCompleted)
        {
            throw new OperationCanceledException(cancellationToken);
        }
    }

    /// <summary>Tells all who wait what came of the attempt.</summary>
    /// <param name="failure">Why there is no connection; nothing if there is one.</param>
    /// <param name="failures">Makes the exception for a channel that has been disposed.</param>
    public void End(Exception? failure, ICallFailures failures)
    {
        switch (failure)
        {
            case null:
                _completion.TrySetResult();
                break;
            case OperationCanceledException when IsCancellationRequested:
                _completion.TrySetException(failures.CreateDisposed());
                break;
            default:
                _completion.TrySetException(failure);
                break;
        }

        // Those who waited may all have gone: an exception that nobody has seen would be reported by the run-time.
        _ = _completion.Task.Exception;
    }
}
