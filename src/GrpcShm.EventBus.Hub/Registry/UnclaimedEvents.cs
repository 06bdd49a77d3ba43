using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Mailboxes;

namespace GrpcShm.EventBus.Registry;

/// <summary>
/// The events that wait for a machine as long as its inbox has no subscription. The machine's lock guards them.
/// </summary>
/// <param name="capacity">How many events there may be.</param>
/// <param name="maxBytes">How many bytes they may have; at least one event, however large.</param>
/// <param name="quota">The bound of bytes of the session that owns the machine.</param>
internal sealed class UnclaimedEvents(int capacity, long maxBytes, Quota quota)
{
    private readonly Queue<MailItem> _items = new();
    private MailboxMemory _memory = new(maxBytes, quota);

    /// <summary>The events, in order.</summary>
    public IReadOnlyCollection<MailItem> Items => _items;

    /// <summary>Adds an event, if there is room.</summary>
    public bool TryAdd(in MailItem item)
    {
        if (_items.Count >= capacity || !_memory.TryAdd(item.Weight))
        {
            return false;
        }

        // The mailbox that takes it over holds it by itself. This holder is never gone, so it is not used again.
        item.Event.Hold();
        _items.Enqueue(item);
        return true;
    }

    /// <summary>Counts the bytes of the events no more: they have gone, or are counted elsewhere.</summary>
    public void Uncount()
    {
        foreach (var item in _items)
        {
            _memory.Remove(item.Weight);
        }

        _memory.Trim();
    }
}
