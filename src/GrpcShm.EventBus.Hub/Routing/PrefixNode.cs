namespace GrpcShm.EventBus.Routing;

/// <summary>
/// A node of a tree of beginnings: the items whose beginning ends here, and the nodes by which longer ones go on.
/// </summary>
/// <remarks>
/// A node is not changed. A change makes new nodes along one way from the root, so a reader needs no lock. Only the
/// list of its items changes, which may be read without a lock, too.
/// </remarks>
/// <param name="edge">The characters that lead to it from the node above.</param>
/// <param name="items">The items whose beginning ends here; none if there are none.</param>
/// <param name="next">The further nodes, by the first character of their edges.</param>
/// <typeparam name="T">The type of the items.</typeparam>
internal sealed class PrefixNode<T>(string edge, SlotList<T>? items, PrefixNode<T>[] next)
    where T : class, ISlotted
{
    /// <summary>The root of a tree without items.</summary>
    public static PrefixNode<T> Empty { get; } = new("", null, []);

    public string Edge { get; } = edge;

    public SlotList<T>? Items { get; } = items;

    public bool IsEmpty => Items is null && next.Length == 0;

    /// <summary>Finds the node by which a text goes on; none if no longer beginning is one of the text.</summary>
    public PrefixNode<T>? Next(ReadOnlySpan<char> rest)
    {
        var place = rest.IsEmpty ? -1 : Find(rest[0]);
        return place >= 0 && rest.StartsWith(next[place].Edge) ? next[place] : null;
    }

    /// <summary>Says whether an item here or below may fulfil a condition.</summary>
    /// <param name="condition">The condition.</param>
    /// <param name="left">At how many places of items to look. Where there are more, the answer is yes.</param>
    public bool MayHave(Func<T, bool> condition, ref int left)
    {
        foreach (var item in Items is null ? [] : Items.Places)
        {
            if (--left < 0 || (item is not null && condition(item)))
            {
                return true;
            }
        }

        foreach (var node in next)
        {
            if (node.MayHave(condition, ref left))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Adds an item below.</summary>
    /// <param name="rest">The item's beginning, without the characters up to here.</param>
    /// <param name="item">The item.</param>
    /// <returns>The node that stands for this one from now on.</returns>
    public PrefixNode<T> With(ReadOnlySpan<char> rest, T item)
    {
        if (rest.IsEmpty)
        {
            var items = Items ?? new SlotList<T>();
            items.Add(item);
            return Items is null ? new PrefixNode<T>(Edge, items, next) : this;
        }

        var place = Find(rest[0]);
        if (place < 0)
        {
            var leaf = new PrefixNode<T>(rest.ToString(), null, []).With([], item);
            return new PrefixNode<T>(Edge, Items, [.. next[..~place], leaf, .. next[~place..]]);
        }

        var below = next[place];
        var common = rest.CommonPrefixLength(below.Edge);
        var node = common == below.Edge.Length
            ? below
            : new PrefixNode<T>(
                below.Edge[..common], null, [new PrefixNode<T>(below.Edge[common..], below.Items, below.Below)]);
        return Replace(place, node.With(rest[common..], item));
    }

    /// <summary>Removes an item below, which is there.</summary>
    /// <param name="rest">The item's beginning, without the characters up to here.</param>
    /// <param name="item">The item.</param>
    /// <returns>The node that stands for this one from now on.</returns>
    public PrefixNode<T> Without(ReadOnlySpan<char> rest, T item)
    {
        if (rest.IsEmpty)
        {
            Items!.Remove(item);
            return Items.Count > 0 ? this : new PrefixNode<T>(Edge, null, next);
        }

        var place = Find(rest[0]);
        var below = next[place].Without(rest[next[place].Edge.Length..], item);
        if (below.IsEmpty)
        {
            return new PrefixNode<T>(Edge, Items, [.. next[..place], .. next[(place + 1)..]]);
        }

        // A node that only leads to one other is left out, so that there are no more nodes than twice the items.
        return Replace(place, below is { Items: null, Below: [var only] }
            ? new PrefixNode<T>(below.Edge + only.Edge, only.Items, only.Below)
            : below);
    }

    private PrefixNode<T>[] Below => next;

    private PrefixNode<T> Replace(int place, PrefixNode<T> node)
    {
        if (node == next[place])
        {
            return this;
        }

        PrefixNode<T>[] changed = [.. next];
        changed[place] = node;
        return new PrefixNode<T>(Edge, Items, changed);
    }

    // As a binary search does: the complement of the place where it would be, if no edge begins with the character.
    private int Find(char first)
    {
        var (low, high) = (0, next.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var other = next[middle].Edge[0];
            if (other == first)
            {
                return middle;
            }

            (low, high) = other < first ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }
}
