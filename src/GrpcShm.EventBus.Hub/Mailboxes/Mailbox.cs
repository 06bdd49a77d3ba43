using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Lanes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Mailboxes;

/// <summary>
/// The events that wait for one subscriber: bounded, first in first out, with any number of senders and one taker.
/// </summary>
/// <remarks>
/// A lock guards all of it. It is held for some nanoseconds, never across foreign code, and a sender and the taker
/// rarely meet in it, because the taker takes many events at once.
/// </remarks>
/// <param name="capacity">How many events it holds.</param>
/// <param name="policy">The rule for further events.</param>
/// <param name="maxBytes">How many bytes it holds; at least one event, however large.</param>
/// <param name="quota">The bound of bytes of its session.</param>
/// <param name="onDropped">Called, outside of the lock, with the number of events that were dropped.</param>
internal sealed class Mailbox(
    int capacity,
    OverflowPolicy policy,
    long maxBytes = long.MaxValue,
    Quota? quota = null,
    Action<int>? onDropped = null)
{
    private const int FirstPlaces = 4;

    // Fences whose routes were withdrawn are of no use. They are looked for when so many fences were put in, or twice
    // as many as were left the last time.
    private const int FirstSweep = 16;
    private const int MostFences = 16_384;

    private readonly Lock _lock = new();
    private readonly int _capacity = capacity;
    private readonly OverflowPolicy _policy = policy;
    private MailboxMemory _memory = new(maxBytes, quota);

    // There may be very many mailboxes that are never used: the first event brings the memory.
    private MailItem[] _items = [];
    private int _head;
    private int _count;
    private int _fences;
    private int _sweepAt = FirstSweep;
    private long _dropped;
    private long _takes;

    // True if a sender has waited the whole time in vain and no event was taken out meanwhile. No further sender waits
    // then.
    private bool _isStalled;
    private bool _closed;
    private LinkedList<BlockedSender>? _blocked;

    /// <summary>How many events and fences it has.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many of them are fences.</summary>
    public int Fences => Volatile.Read(ref _fences);

    /// <summary>How many events wait.</summary>
    public int Waiting => Math.Max(0, Count - Fences);

    /// <summary>The rule for an event that comes when it is full.</summary>
    public OverflowPolicy Policy => _policy;

    /// <summary>How many events were dropped since the mailbox was made.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>
    /// True if the sender learns that there was no room for its event. For a copy or a publication only the subscriber
    /// can be told that the event is missing.
    /// </summary>
    public static bool IsSenderTold(in MailItem item, string machineId) =>
        machineId.Length > 0 && !item.Event.IsEmpty(EventPart.Target);

    /// <summary>Puts an event in, by the rule of the policy.</summary>
    /// <param name="item">The event.</param>
    /// <param name="machineId">The machine whose inbox this is, or empty.</param>
    /// <param name="blocked">The sender that waits now, if the result is <see cref="PutResult.Blocked"/>.</param>
    public PutResult Put(in MailItem item, string machineId, out BlockedSender? blocked)
    {
        blocked = null;
        MailItem dropped;
        List<MailItem>? further = null;
        lock (_lock)
        {
            if (_closed)
            {
                return PutResult.Closed;
            }

            // A sender that waits already came earlier: no other sender overtakes it.
            if (_blocked is not { Count: > 0 } && TryAppend(item))
            {
                return PutResult.Accepted;
            }

            switch (_policy)
            {
                // An empty mailbox without room has no share of the memory left. To wait for its taker would not change
                // that.
                case OverflowPolicy.Block when _count > _fences && !_isStalled:
                    blocked = new BlockedSender(this, item, machineId, _takes);
                    (_blocked ??= new LinkedList<BlockedSender>()).AddLast(blocked);
                    return PutResult.Blocked;
                case OverflowPolicy.DropOldest when _count > 0:
                    dropped = RemoveFirst();
                    further = MakeRoom(item);
                    _dropped += 1 + (further?.Count ?? 0);
                    break;
                case OverflowPolicy.DropNewest:
                    dropped = item;
                    _dropped++;
                    break;
                default:
                    if (IsSenderTold(item, machineId))
                    {
                        return PutResult.Full;
                    }

                    dropped = item;
                    _dropped++;
                    break;
            }
        }

        dropped.Pending?.FailDropped();
        foreach (var another in further ?? Enumerable.Empty<MailItem>())
        {
            another.Pending?.FailDropped();
        }

        onDropped?.Invoke(1 + (further?.Count ?? 0));
        return PutResult.Dropped;
    }

    /// <summary>
    /// Puts a fence in behind all events that are in it. It may exceed the capacity, and no policy drops it.
    /// </summary>
    /// <returns>
    /// <see cref="PutResult.Full"/> if there are as many fences as there may be, <see cref="PutResult.Closed"/>, or
    /// <see cref="PutResult.Accepted"/>.
    /// </returns>
    public PutResult PutFence(in MailItem item)
    {
        lock (_lock)
        {
            if (_fences >= _sweepAt)
            {
                RemoveVoidFences();
            }

            if (_closed || _fences >= MostFences)
            {
                return _closed ? PutResult.Closed : PutResult.Full;
            }

            // It takes no share of the memory that events have: others put it in.
            Append(item);
            Volatile.Write(ref _fences, _fences + 1);
            return PutResult.Accepted;
        }
    }

    /// <summary>Puts in events that were accepted before the mailbox existed. They may exceed its capacity.</summary>
    public void Preload(IEnumerable<MailItem> items)
    {
        lock (_lock)
        {
            foreach (var item in items)
            {
                _memory.Add(item.Weight);
                Append(item);
            }
        }
    }

    /// <summary>
    /// Takes events out, in order: as many as fit into <paramref name="destination"/> and, but for the first, into
    /// <paramref name="maxBytes"/>.
    /// </summary>
    /// <returns>How many were taken.</returns>
    public int Take(Span<MailItem> destination, int maxBytes) =>
        Take(destination, maxBytes, long.MaxValue, out _);

    /// <summary>
    /// As the other one, within a credit. A fence uses nothing of it, but needs some, of which its route gets a part:
    /// it comes last, before other events use up what is left.
    /// </summary>
    /// <param name="destination">Gets the events and fences.</param>
    /// <param name="maxBytes">The most bytes, but for the first.</param>
    /// <param name="credit">The most events.</param>
    /// <param name="fences">How many of those that were taken are fences.</param>
    /// <returns>How many were taken.</returns>
    public int Take(Span<MailItem> destination, int maxBytes, long credit, out int fences)
    {
        lock (_lock)
        {
            fences = 0;
            var taken = 0;
            while (taken < destination.Length && _count > 0 && taken < credit && fences == 0)
            {
                ref readonly var first = ref _items[_head];
                var isFence = IsFence(first);
                maxBytes -= first.Size;
                if (!isFence && taken > 0 && maxBytes < 0)
                {
                    break;
                }

                destination[taken++] = RemoveFirst();
                if (isFence)
                {
                    fences++;
                    Volatile.Write(ref _fences, _fences - 1);
                }
            }

            if (taken > fences)
            {
                _takes++;
                _isStalled = false;
            }

            AdmitBlockedSenders();
            _memory.Trim();
            return taken;
        }
    }

    /// <summary>Gives up waiting for room.</summary>
    /// <param name="sender">The sender that waited.</param>
    /// <param name="isLate">Whether it has waited as long as a sender may.</param>
    /// <returns><see langword="false"/> if the mailbox has decided about the event already.</returns>
    public bool Withdraw(BlockedSender sender, bool isLate)
    {
        lock (_lock)
        {
            if (_blocked?.Remove(sender) is not true)
            {
                return false;
            }

            _isStalled |= isLate && _takes == sender.TakesBefore;
            _dropped += sender.IsTold ? 0 : 1;
            return true;
        }
    }

    /// <summary>Takes no more events, and fails those that wait.</summary>
    public void Close()
    {
        MailItem[] items;
        int head, count;
        LinkedList<BlockedSender>? blocked;
        lock (_lock)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
            (items, head, count, blocked) = (_items, _head, _count, _blocked);
            (_items, _head, _count, _blocked) = ([], 0, 0, null);
            for (var i = 0; i < count; i++)
            {
                ref readonly var item = ref items[(head + i) % items.Length];
                if (!IsFence(item))
                {
                    _memory.Remove(item.Weight);
                }
            }

            Volatile.Write(ref _fences, 0);

            _memory.Trim();
        }

        for (var i = 0; i < count; i++)
        {
            items[(head + i) % items.Length].Pending?.FailGone();
        }

        foreach (var sender in blocked ?? [])
        {
            sender.Complete(PutResult.Closed);
        }
    }

    private void AdmitBlockedSenders()
    {
        while (_blocked is { First: { } first } && TryAppend(first.Value.Item))
        {
            _blocked.RemoveFirst();
            first.Value.Complete(PutResult.Accepted);
        }
    }

    private bool TryAppend(in MailItem item)
    {
        // A fence is no event.
        if (_count - _fences >= _capacity || !_memory.TryAdd(item.Weight))
        {
            return false;
        }

        Append(item);
        return true;
    }

    // A large event may take the place of several small ones. If there is no room at all, the event itself is dropped.
    private List<MailItem>? MakeRoom(in MailItem item)
    {
        List<MailItem>? dropped = null;
        while (!TryAppend(item))
        {
            if (_count == 0)
            {
                (dropped ??= []).Add(item);
                break;
            }

            (dropped ??= []).Add(RemoveFirst());
        }

        return dropped;
    }

    private void Append(in MailItem item)
    {
        if (_count == _items.Length)
        {
            Grow();
        }

        // Whoever takes it out releases it.
        item.Event.Hold();
        var tail = _head + _count;
        _items[tail < _items.Length ? tail : tail - _items.Length] = item;
        _count++;
    }

    private MailItem RemoveFirst()
    {
        var item = _items[_head];
        _items[_head] = default;
        _head = _head + 1 < _items.Length ? _head + 1 : 0;
        _count--;
        if (!IsFence(item))
        {
            _memory.Remove(item.Weight);
        }

        return item;
    }

    // Whoever asked for them has been told already that the routes have ended.
    private void RemoveVoidFences()
    {
        var kept = 0;
        for (var i = 0; i < _count; i++)
        {
            var item = _items[(_head + i) % _items.Length];
            if (item.Event is FenceMark { Route.IsWithdrawn: true })
            {
                item.Event.Release();
            }
            else
            {
                _items[(_head + kept++) % _items.Length] = item;
            }
        }

        for (var i = kept; i < _count; i++)
        {
            _items[(_head + i) % _items.Length] = default;
        }

        Volatile.Write(ref _fences, _fences - (_count - kept));
        Volatile.Write(ref _count, kept);
        _sweepAt = Math.Max(FirstSweep, 2 * _fences);
    }

    private bool IsFence(in MailItem item) => _fences > 0 && item.Event is FenceMark;

    private void Grow()
    {
        var larger = new MailItem[Math.Max(FirstPlaces, _items.Length * 2)];
        for (var i = 0; i < _count; i++)
        {
            larger[i] = _items[(_head + i) % _items.Length];
        }

        (_items, _head) = (larger, 0);
    }
}
