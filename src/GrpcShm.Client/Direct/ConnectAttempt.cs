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

    /// <summary>The number of those who wait. Under the lock of the <see cref="ConnectionTable{T}"/>.</summary>
    public int Waiters { get; set; }

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
