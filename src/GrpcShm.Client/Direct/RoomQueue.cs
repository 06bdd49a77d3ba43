namespace GrpcShm.Client.Direct;

/// <summary>
/// The calls that wait for room on a connection, in order. The first is woken whenever there may be room; when it has
/// gone, the next one is. Any thread.
/// </summary>
internal sealed class RoomQueue
{
    private readonly Lock _gate = new();
    private readonly LinkedList<SemaphoreSlim> _waiting = new();

    // Written under the gate, read by anybody without it. A call that waits is counted here, then it looks for
    // connections and asks each for room, under the gate of the connection's table of calls. Whoever makes room, or
    // removes a connection, does so under a gate, then reads the count. Each gate is a full fence, so one of the two
    // sees the other.
    private int _count;

    /// <summary>The number of calls that wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Takes the last place.</summary>
    /// <returns>The place. It is woken at once if it is the first.</returns>
    public LinkedListNode<SemaphoreSlim> Enter()
    {
        // Not disposed: the semaphore holds no handle, and may be released late.
        var place = new LinkedListNode<SemaphoreSlim>(new SemaphoreSlim(0));
        lock (_gate)
        {
            _waiting.AddLast(place);
            Volatile.Write(ref _count, _waiting.Count);
            WakeFirst();
        }

        return place;
    }

    /// <summary>Leaves a place, for whatever reason, and wakes the first of the others.</summary>
    public void Leave(LinkedListNode<SemaphoreSlim> place)
    {
        lock (_gate)
        {
            _waiting.Remove(place);
            Volatile.Write(ref _count, _waiting.Count);
            WakeFirst();
        }
    }

    /// <summary>Wakes the first that waits, since there may be room.</summary>
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

    /// <summary>Wakes all, since there will be no room any more.</summary>
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
        // Once is enough: a call that is woken looks at every connection.
        if (_waiting.First is { Value: { CurrentCount: 0 } place })
        {
            place.Release();
        }
    }
}
