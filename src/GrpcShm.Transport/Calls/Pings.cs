namespace GrpcShm.Transport.Calls;

/// <summary>
/// The pings that this side sends: the callers that wait for an answer, and the ping that follows the going away.
/// </summary>
internal sealed class Pings
{
    private readonly Lock _gate = new();

    // Under the gate. Numbers count from 1 on.
    private ulong _last;
    private TaskCompletionSource? _waiter;
    private ulong _awaited;
    private ulong _farewell;
    private bool _hasEnded;

    /// <summary>Waits for a sign of life. Any thread.</summary>
    /// <param name="number">The number of the ping that the caller has to send; 0 if a ping is under way already, or
    /// none has to be sent.</param>
    /// <returns>Completes when a sign of life has come; fails when the connection ends first.</returns>
    public Task WaitAsync(out ulong number)
    {
        lock (_gate)
        {
            number = 0;
            if (_waiter is { } waiter)
            {
                return waiter.Task;
            }

            if (_hasEnded)
            {
                return Task.FromException(new IOException("The connection has ended."));
            }

            _waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _awaited = number = ++_last;
            return _waiter.Task;
        }
    }

    /// <summary>Gives the number of the ping that follows the going away. On a server, once.</summary>
    public ulong CreateFarewell()
    {
        lock (_gate)
        {
            return _farewell = ++_last;
        }
    }

    /// <summary>Takes an answer. By the thread that receives.</summary>
    /// <returns>Whether it is the answer to the ping behind the going away, or to a later one.</returns>
    public bool TakeAnswer(ulong number)
    {
        TaskCompletionSource? waiter = null;
        bool isFarewell;
        lock (_gate)
        {
            if (number > _last)
            {
                // The answer belongs to no ping that has been sent.
                return false;
            }

            // It may be the answer to a later ping: if several pings come at once, the peer answers only the last. The
            // answer to the farewell's ping may be held back for a while, so the answer to an earlier ping is a sign of
            // life, too.
            if (number >= _awaited)
            {
                (waiter, _waiter) = (_waiter, null);
            }

            isFarewell = _farewell != 0 && number >= _farewell;
        }

        waiter?.TrySetResult();
        return isFarewell;
    }

    /// <summary>Says that no more answers come.</summary>
    /// <returns>The wait for an answer, if there is one. The caller has to end it.</returns>
    public TaskCompletionSource? End()
    {
        lock (_gate)
        {
            _hasEnded = true;
            var waiter = _waiter;
            _waiter = null;
            return waiter;
        }
    }
}
