namespace GrpcShm.EventBus.Routing;

/// <summary>
/// Items in the order in which they were added. To add or remove one takes the same time for any number of them.
/// </summary>
/// <remarks>
/// It is changed under a lock of its owner, and read without it. A place gets an item once, and is emptied once, in one
/// array: so a reader meets each item at most once, and in order. A full array, or one that is mostly empty, is
/// replaced by one with as many free places as it has items.
/// </remarks>
/// <typeparam name="T">The type of the items.</typeparam>
internal sealed class SlotList<T>
    where T : class, ISlotted
{
    // With fewer items than one for so many places, most places are empty.
    private const int Sparse = 4;

    private T?[] _places = [];
    private int _used;

    /// <summary>How many items there are. The owner's lock guards it.</summary>
    public int Count { get; private set; }

    /// <summary>The items, with empty places (<see langword="null"/>) between and after them. Needs no lock.</summary>
    public ReadOnlySpan<T?> Places => Volatile.Read(ref _places);

    public void Add(T item)
    {
        if (_used == _places.Length)
        {
            MoveToNewPlaces();
        }

        item.Slot = _used;
        Volatile.Write(ref _places[_used++], item);
        Count++;
    }

    /// <summary>Removes an item, which is in the list.</summary>
    public void Remove(T item)
    {
        Volatile.Write(ref _places[item.Slot], null);
        Count--;
        if (Count < _places.Length / Sparse)
        {
            MoveToNewPlaces();
        }
    }

    private void MoveToNewPlaces()
    {
        var places = new T?[Math.Max(1, 2 * Count)];
        var used = 0;
        foreach (var item in _places)
        {
            if (item is not null)
            {
                item.Slot = used;
                places[used++] = item;
            }
        }

        _used = used;
        Volatile.Write(ref _places, places);
    }
}
