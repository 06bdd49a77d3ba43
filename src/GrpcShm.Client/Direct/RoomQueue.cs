namespace GrpcShm.Client.Direct;

/// <summary>
/// The calls that wait for room on a connection, in order. The first is woken whenever there may be room, and when it
/// has gone the next one is. Any thread.
/// </summary>
internal sealed class RoomQueue
{
    private readonly Lock _gate = new();
    private readonly LinkedList<SemaphoreSlim> _waiting = new();

    // Written under the gate, read by anybody without it. Who waits writes it here, then looks for connections and asks
    // for room under the table's gate. Who makes room, or removes a connection, does so under a gate, then reads it.
    // Each gate is a full fence, so one of the two sees the other.
    private int _count;

    /// <summary>How many wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes the last place.</summary>
    /// <returns>The place, which is woken at once if it is the first.</returns>
    public LinkedListNode<SemaphoreSlim> Enter()
    {
        // Not disposed: it has nothing to let go, and who wakes it may do so late.
        var place = new LinkedListNode<SemaphoreSlim>(new SemaphoreSlim(0));
        lock (_gate)
        {
            _waiting.AddLast(place);
            Volatile.Write(ref _count, _waiting.Count);
            WakeFirst();
        }

        return place;
    }

    /// <summary>Leaves a place, whatever it was left for.</summary>
    public void Leave(LinkedListNode<SemaphoreSlim> place)
    {
        lock (_gate)
        {
            _waiting.Remove(place);
            Volatile.Write(ref _count, _waiting.Count);
            WakeFirst();
        }
    }

    /// <summary>There may be room.</summary>
    public void Wake()
    {
        if (Count > 0)
        {
            lock (_gate)
            {
                WakeFirst();
            }
        }
    }

    /// <summary>There will be no room any more.</summary>
    public void WakeAll()
    {
        lock (_gate)
        {
            foreach (var place in _waiting)
            {
                place.Release();
            }
        }
    }

    private void WakeFirst()
    {
        // Once is enough, since it looks at everything.
        if (_waiting.First is { Value: { CurrentCount: 0 } place })
        {
            place.Release();
        }
    }
}
