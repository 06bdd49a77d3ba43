using System.Collections.Concurrent;

namespace GrpcShm.Transport.Calls;

/// <summary>The pairs that this side has defined on a connection. Any thread.</summary>
/// <remarks>
/// Definitions reach the peer in the order of the claims, so a pair may be referred to only after a frame that defines
/// it has been claimed. Until then each block defines the pair anew, with the same number: the block that was put
/// together first may be sent last, or never.
/// </remarks>
internal sealed class SentPairs
{
    private readonly ConcurrentDictionary<(int Name, string Value), Entry> _entries = new();
    private int _next = HeaderNames.FirstFreePair;

    public SentPairs()
    {
        for (var i = 0; i < HeaderNames.Pairs.Count; i++)
        {
            var pair = HeaderNames.Pairs[i];
            _entries[(pair.Name, pair.Value)] = new Entry(i) { IsUsable = true };
        }
    }

    /// <summary>Finds a pair that the peer knows, or a pair that the caller has to define.</summary>
    /// <param name="name">The name's number.</param>
    /// <param name="value">The value.</param>
    /// <param name="isNew">Whether the caller has to define it.</param>
    /// <returns>The pair, or <see langword="null"/> if the value has to be sent itself.</returns>
    public Entry? Find(int name, string value, out bool isNew)
    {
        var entry = _entries.TryGetValue((name, value), out var known) ? known : Create(name, value);
        isNew = entry is { IsUsable: false };
        return entry;
    }

    private Entry? Create(int name, string value)
    {
        if (Volatile.Read(ref _next) >= HeaderNames.MaxPairs)
        {
            return null;
        }

        var number = Interlocked.Increment(ref _next) - 1;
        if (number >= HeaderNames.MaxPairs)
        {
            return null;
        }

        // If another thread is first, its number stays unused; there are enough.
        return _entries.GetOrAdd((name, value), new Entry(number));
    }

    internal sealed class Entry(int number)
    {
        private volatile bool _isUsable;

        public int Number => number;

        public bool IsUsable
        {
            get => _isUsable;
            set => _isUsable = value;
        }
    }
}
