using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace GrpcShm.Client.Direct;

/// <summary>Objects that serve one call after the other, and that no call uses at present. Any thread.</summary>
/// <typeparam name="T">The objects.</typeparam>
internal sealed class FreeList<T>
    where T : class
{
    // So many are only kept if so many were in use at once.
    private const int MaxKept = 256;

    private readonly ConcurrentQueue<T> _kept = [];
    private T? _last;
    private int _count;

    public bool TryTake([NotNullWhen(true)] out T? item)
    {
        item = Interlocked.Exchange(ref _last, null);
        if (item is not null)
        {
            return true;
        }

        if (_kept.TryDequeue(out item))
        {
            Interlocked.Decrement(ref _count);
            return true;
        }

        return false;
    }

    /// <returns>False if so many are kept already that this one is of no more use.</returns>
    public bool TryAdd(T item)
    {
        // A caller that makes one call after the other needs no queue.
        if (Interlocked.CompareExchange(ref _last, item, null) is null)
        {
            return true;
        }

        if (Interlocked.Increment(ref _count) > MaxKept)
        {
            Interlocked.Decrement(ref _count);
            return false;
        }

        _kept.Enqueue(item);
        return true;
    }
}
