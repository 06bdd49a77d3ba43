namespace GrpcShm.Transport.Calls;

/// <summary>
/// A budget whose waiters go on in order as soon as there is enough. One thread at a time grants; who finds another at
/// it leaves it to that one, which looks again under the gate before it stops. So a release that leads to a grant that
/// leads to a release goes round a loop and does not go deeper.
/// </summary>
/// <typeparam name="TWaiter">Who waits.</typeparam>
internal abstract class GrantingBudget<TWaiter>
    where TWaiter : class
{
    // Under the gate.
    private bool _isGranting;

    /// <summary>The gate of all that the budget counts.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>Lets those go on that wait, as long as there is enough. Without any gate.</summary>
    protected void GrantInOrder()
    {
        lock (Gate)
        {
            if (_isGranting)
            {
                return;
            }

            _isGranting = true;
        }

        try
        {
            while (TakeNext() is { } waiter)
            {
                Grant(waiter);
            }
        }
        catch
        {
            // A bug of ours, or no memory. Whoever releases next goes on, or those behind would wait for ever.
            lock (Gate)
            {
                _isGranting = false;
            }

            throw;
        }
    }

    /// <summary>Takes the next one off the queue, if there is enough for it. Under the gate.</summary>
    protected abstract TWaiter? TryTakeWaiting();

    /// <summary>Lets one go on that was taken off the queue. Without any gate.</summary>
    protected abstract void Grant(TWaiter waiter);

    private TWaiter? TakeNext()
    {
        lock (Gate)
        {
            var next = TryTakeWaiting();
            _isGranting = next is not null;
            return next;
        }
    }
}
