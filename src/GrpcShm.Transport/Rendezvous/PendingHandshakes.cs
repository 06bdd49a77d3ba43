namespace GrpcShm.Transport.Rendezvous;

/// <summary>Counts the handshakes of a listener that are under way, up to a bound. Any thread.</summary>
/// <param name="most">How many may be under way at the same time.</param>
internal sealed class PendingHandshakes(int most)
{
    private readonly Lock _gate = new();
    private int _count;
    private TaskCompletionSource? _allEnded;

    /// <summary>Begins a handshake, which <see cref="End"/> has to follow.</summary>
    /// <returns>False if too many are under way.</returns>
    public bool TryBegin()
    {
        lock (_gate)
        {
            if (_count >= most)
            {
                return false;
            }

            _count++;
            return true;
        }
    }

    /// <summary>
    /// Begins to refuse a client, whatever the bound is. <see cref="End"/> has to follow. It counts as a handshake, so
    /// that the listener does not end before the refusal is sent and logged.
    /// </summary>
    public void BeginRefusal()
    {
        lock (_gate)
        {
            _count++;
        }
    }

    /// <summary>Ends a handshake, or a refusal, that has begun.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (--_count == 0)
            {
                _allEnded?.TrySetResult();
            }
        }
    }

    /// <summary>Waits until none is under way. Once, when no more can begin.</summary>
    public Task WhenAllEnded()
    {
        lock (_gate)
        {
            _allEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_count == 0)
            {
                _allEnded.TrySetResult();
            }

            return _allEnded.Task;
        }
    }
}
