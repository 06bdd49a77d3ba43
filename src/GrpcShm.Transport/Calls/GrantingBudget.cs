namespace GrpcShm.Transport.Calls;

/// <summary>
/// A budget whose waiters go on in order as soon as there is enough. One thread at a time grants. A thread that finds
/// another thread granting leaves the work to it; that thread looks again under the gate before it stops. So if a
/// release leads to a grant and the grant to a release, that is a loop and not a recursion.
/// </summary>
/// <typeparam name="TWaiter">The waiters.</typeparam>
internal abstract class GrantingBudget<TWaiter>
    where TWaiter : class
{
    // Under the gate.
    private bool _isGranting;

    /// <summary>The gate of everything that the budget counts.</summary>
    protected Lock Gate { get; } = new();

    /// <summary>Lets the waiters go on in order, as long as there is enough. Without any gate.</summary>
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
            // A bug of this code, or no memory. The next release has to be able to grant, or the waiters behind would
            // wait for ever.
            lock (Gate)
            {
                _isGranting = false;
            }

            throw;
        }
    }

    /// <summary>Takes the next waiter off the queue, if there is enough for it. Under the gate.</summary>
    protected abstract TWaiter? TryTakeWaiting();

    /// <summary>Lets a waiter go on that was taken off the queue. Without any gate.</summary>
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
