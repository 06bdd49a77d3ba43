using System.Collections.Concurrent;

namespace GrpcShm.EventBus.Routing;

/// <summary>
/// Items that are found by a text: those that name it in full, and those that say how it begins. Others cost nothing.
/// </summary>
/// <remarks>
/// It is changed under a lock of its owner, and read without it. The time of a change and of a look-up depends on the
/// length of the text and not on the number of items.
/// </remarks>
/// <typeparam name="T">The type of the items.</typeparam>
internal sealed class TextIndex<T>
    where T : class, ISlotted
{
    // A longer beginning is found by its first characters. It bounds the depth of the tree.
    private const int MostIndexed = 256;

    private readonly ConcurrentDictionary<string, SlotList<T>> _exact = new(StringComparer.Ordinal);
    private int _names;
    private PrefixNode<T> _beginnings = PrefixNode<T>.Empty;

    /// <summary>True if no item is found by any text, so that none needs to be decoded.</summary>
    public bool IsEmpty => Volatile.Read(ref _names) == 0 && Volatile.Read(ref _beginnings).IsEmpty;

    /// <summary>Adds an item.</summary>
    /// <param name="key">The text, or its beginning.</param>
    /// <param name="isBeginning">Whether it is a beginning. An empty one is one of each text.</param>
    /// <param name="item">The item.</param>
    public void Add(string key, bool isBeginning, T item)
    {
        if (isBeginning)
        {
            Volatile.Write(ref _beginnings, _beginnings.With(Indexed(key), item));
            return;
        }

        if (!_exact.TryGetValue(key, out var items))
        {
            items = new SlotList<T>();
            items.Add(item);
            _exact[key] = items;
            Volatile.Write(ref _names, _names + 1);
            return;
        }

        items.Add(item);
    }

    /// <summary>Removes an item that was added with the same key.</summary>
    public void Remove(string key, bool isBeginning, T item)
    {
        if (isBeginning)
        {
            Volatile.Write(ref _beginnings, _beginnings.Without(Indexed(key), item));
            return;
        }

        var items = _exact[key];
        items.Remove(item);
        if (items.Count == 0)
        {
            _exact.TryRemove(key, out _);
            Volatile.Write(ref _names, _names - 1);
        }
    }

    /// <summary>The items that name a text in full.</summary>
    public SlotList<T>? Exact(string text) => _exact.TryGetValue(text, out var items) ? items : null;

    /// <summary>
    /// Finds the items for a text: first those that name it in full, then the others, short beginnings first. Of a
    /// beginning only the first 256 characters are compared.
    /// </summary>
    public Matches Find(string text) => new(Exact(text), Volatile.Read(ref _beginnings), text);

    /// <summary>
    /// Says whether any item may fulfil a condition. Where there are too many texts or beginnings to look at, the
    /// answer is yes.
    /// </summary>
    /// <param name="condition">The condition.</param>
    /// <param name="mostTexts">At how many texts to look, and at how many items that name beginnings.</param>
    public bool MayHave(Func<T, bool> condition, int mostTexts)
    {
        var left = mostTexts;
        if (Volatile.Read(ref _names) > mostTexts || Volatile.Read(ref _beginnings).MayHave(condition, ref left))
        {
            return true;
        }

        foreach (var (_, items) in _exact)
        {
            foreach (var item in items.Places)
            {
                if (item is not null && condition(item))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static ReadOnlySpan<char> Indexed(string key) => key.AsSpan(0, Math.Min(key.Length, MostIndexed));

    /// <summary>The lists of items that were found.</summary>
    /// <param name="exact">The items that name the text in full; none if there are none.</param>
    /// <param name="root">The root of the beginnings.</param>
    /// <param name="text">The text.</param>
    public ref struct Matches(SlotList<T>? exact, PrefixNode<T> root, ReadOnlySpan<char> text)
    {
        private SlotList<T>? _exact = exact;
        private PrefixNode<T>? _node = root;
        private ReadOnlySpan<char> _rest = text;

        /// <summary>The items that were found last, with empty places between them.</summary>
        public ReadOnlySpan<T?> Current { get; private set; }

        public readonly Matches GetEnumerator() => this;

        public bool MoveNext()
        {
            if (_exact is not null)
            {
                Current = _exact.Places;
                _exact = null;
                return true;
            }

            while (_node is { } node)
            {
                _node = node.Next(_rest);
                _rest = _node is null ? [] : _rest[_node.Edge.Length..];
                if (node.Items is { } items)
                {
                    Current = items.Places;
                    return true;
                }
            }

            return false;
        }
    }
}
