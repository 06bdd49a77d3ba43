namespace GrpcShm.EventBus.Wire;

/// <summary>
/// Objects whose memory is used again. One thread makes what another one is done with, as a sender and the thread that
/// reads the answers: so a pool for each thread would be empty on one and full on the other.
/// </summary>
/// <param name="most">How many it keeps. Further ones are left to the garbage collector.</param>
internal sealed class BoundedPool<T>(int most)
    where T : class
{
    private readonly Lock _lock = new();
    private readonly T?[] _items = new T?[most];

    // Under the lock, and read without it: a wrong look makes one object more, or leaves one to the garbage collector.
    private int _count;

    /// <summary>Takes an object, which the caller owns from here on; none if there is none.</summary>
    public T? TryTake()
    {
        if (Volatile.Read(ref _count) == 0)
        {
            return null;
        }

        lock (_lock)
        {
            if (_count == 0)
            {
                return null;
            }

            ref var place = ref _items[--_count];
            var item = place;
            place = null;
            return item;
        }
    }

    /// <summary>Gives an object to the pool. The caller does not use it any more.</summary>
    public void Give(T item)
    {
        if (Volatile.Read(ref _count) == _items.Length)
        {
            return;
        }

        lock (_lock)
        {
            if (_count < _items.Length)
            {
                _items[_count++] = item;
            }
        }
    }
}
