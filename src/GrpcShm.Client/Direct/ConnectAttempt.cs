namespace GrpcShm.Client.Direct;

/// <summary>A connection that is being made, and how many wait for it. Cancelled when nobody waits any more.</summary>
internal sealed class ConnectAttempt : CancellationTokenSource
{
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when there is a connection, or will be none.</summary>
    public Task Task => _completion.Task;

    /// <summary>Whether it is for more room, while there are other connections.</summary>
    public bool IsExtra { get; init; }

    /// <summary>How many wait. Under the owner's lock.</summary>
    public int Waiters { get; set; }

    public void End(Exception? failure, ICallFailures failures)
    {
        switch (failure)
        {
            case null:
                _completion.TrySetResult();
                break;
            case OperationCanceledException when IsCancellationRequested:
                _completion.TrySetException(failures.Disposed());
                break;
            default:
                _completion.TrySetException(failure);
                break;
        }

        // Those who waited may all have gone.
        _ = _completion.Task.Exception;
    }
}
