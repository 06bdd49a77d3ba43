using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Native;

/// <summary>
/// The cancellations of a channel: those that its calls use, and those that wait for a call. Any thread.
/// </summary>
internal sealed class CallCancellations
{
    private const int LeastToPrune = 64;

    private readonly FreeList<CallCancellation> _free = new();
    private readonly Lock _gate = new();

    // Under the gate. Changes as seldom as the number of calls at once reaches a new height, and with each call that is
    // given up.
    private readonly HashSet<CallCancellation> _all = [];
    private int _pruneAt = LeastToPrune;

    /// <summary>How many there are.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _all.Count;
            }
        }
    }

    public CallCancellation Rent()
    {
        if (_free.TryTake(out var free))
        {
            return free;
        }

        var cancellation = new CallCancellation();
        lock (_gate)
        {
            if (_all.Count >= _pruneAt)
            {
                Prune();
            }

            _all.Add(cancellation);
        }

        return cancellation;
    }

    /// <summary>Takes back a cancellation whose call has ended.</summary>
    public void Return(CallCancellation cancellation)
    {
        if (!cancellation.TryReuse() || !_free.TryAdd(cancellation))
        {
            Drop(cancellation);
        }
    }

    /// <summary>Gives back what a cancellation has that serves no other call.</summary>
    public void Drop(CallCancellation cancellation)
    {
        cancellation.Dispose();
        lock (_gate)
        {
            _all.Remove(cancellation);
        }
    }

    /// <summary>Finds the calls that are under way.</summary>
    public List<NativeCall> FindCalls()
    {
        CallCancellation[] all;
        lock (_gate)
        {
            all = [.. _all];
        }

        return [.. all.Select(static cancellation => cancellation.FindCall()).OfType<NativeCall>()];
    }

    /// <summary>Drops those whose calls were forgotten by their callers. Under the gate.</summary>
    private void Prune()
    {
        foreach (var forgotten in _all.Where(static cancellation => cancellation.IsForgotten).ToList())
        {
            forgotten.Dispose();
            _all.Remove(forgotten);
        }

        _pruneAt = Math.Max(LeastToPrune, 2 * _all.Count);
    }
}
