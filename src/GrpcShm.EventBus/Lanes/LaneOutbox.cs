using System.Runtime.InteropServices;
using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>
/// The events of this client on one lane: those that are to be written, and those that wait for answers.
/// </summary>
/// <remarks>The lock of the queue guards it.</remarks>
/// <param name="id">The number that the hub has given the lane.</param>
internal sealed class LaneOutbox(ulong id)
{
    // In order and without gaps: the first one that is not accepted has the number First.
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<ulong, Entry> _waitingForMore = [];
    private int _head;
    private long _lastUse;

    public ulong Id { get; } = id;

    /// <summary>True while the connection stands.</summary>
    public bool IsReady { get; set; }

    /// <summary>True if one of both sides takes leave: no further route goes over the lane.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>The number of the first event that is not accepted.</summary>
    public ulong First { get; private set; } = 1;

    /// <summary>The number of the last event that the writer took.</summary>
    public ulong Taken { get; private set; }

    /// <summary>The number of the last event.</summary>
    public ulong Last { get; private set; }

    /// <summary>True if an event is not answered for good.</summary>
    public bool IsBusy => First <= Last || _waitingForMore.Count > 0;

    /// <summary>
    /// When the last event was put in, or came over the lane. The lane's reading thread writes it, too, without a lock:
    /// one use more or less does not matter.
    /// </summary>
    public long LastUse
    {
        get => Volatile.Read(ref _lastUse);
        set => Volatile.Write(ref _lastUse, value);
    }

    /// <summary>Numbers an event, and lets the writer take it.</summary>
    public void Add(PendingEvent @event, SourceRoute route)
    {
        (@event.Lane, @event.LaneNumber) = (this, ++Last);
        _entries.Add(new Entry(@event, route));
    }

    /// <summary>Takes the next events for one frame. The caller releases each when it is written.</summary>
    /// <param name="destination">Gets them. Empty.</param>
    /// <param name="maxCount">How many at most.</param>
    /// <param name="maxBytes">So many bytes at most.</param>
    /// <param name="mayBeLarge">True if one larger event may be taken, alone.</param>
    public LaneSends Take(List<LaneSend> destination, int maxCount, int maxBytes, bool mayBeLarge)
    {
        var bytes = 0;
        var entries = CollectionsMarshal.AsSpan(_entries);
        while (Taken < Last && destination.Count < maxCount)
        {
            ref readonly var entry = ref entries[IndexOf(Taken + 1)];
            bytes += entry.Event.Size;
            if (bytes > maxBytes && (destination.Count > 0 || !mayBeLarge))
            {
                return destination.Count > 0 ? LaneSends.Busy : LaneSends.LargeNext;
            }

            entry.Event.Hold();
            destination.Add(new LaneSend(entry.Event, ++Taken, entry.Route.Number, entry.Route.Stamp));
        }

        return IsBusy ? LaneSends.Busy : LaneSends.Idle;
    }

    /// <summary>Takes the first event that is not accepted, which was accepted now.</summary>
    public Entry Accept()
    {
        var entry = _entries[_head++];
        if (!entry.IsAnswered && !entry.Event.IsOver && entry.Event.Level > AcknowledgementLevel.Delivered)
        {
            _waitingForMore.Add(First, entry);
        }

        First++;
        if (_head == _entries.Count || _head > 4096)
        {
            _entries.RemoveRange(0, _head);
            _head = 0;
        }

        return entry;
    }

    /// <summary>Takes an accepted event that waits for its answer; none if there is no such event.</summary>
    public Entry? TakeWaiting(ulong number) => _waitingForMore.Remove(number, out var entry) ? entry : null;

    /// <summary>Marks an event as answered that was not accepted before.</summary>
    /// <param name="number">Its number, of an event that the writer took.</param>
    /// <returns>The entry as it was.</returns>
    public Entry Answer(ulong number)
    {
        ref var entry = ref CollectionsMarshal.AsSpan(_entries)[IndexOf(number)];
        var before = entry;
        entry = entry with { IsAnswered = true };
        return before;
    }

    /// <summary>Takes all events that are left. The connection is gone; the next one counts anew.</summary>
    /// <param name="accepted">Those that were accepted and wait for an answer, in order.</param>
    /// <param name="tail">The others, in order, and whether each was taken by the writer.</param>
    public void TakeAll(List<Entry> accepted, List<(Entry Entry, bool WasTaken)> tail)
    {
        accepted.AddRange(_waitingForMore.OrderBy(static pair => pair.Key).Select(static pair => pair.Value));
        for (var number = First; number <= Last; number++)
        {
            tail.Add((_entries[IndexOf(number)], number <= Taken));
        }

        _waitingForMore.Clear();
        _entries.Clear();
        (_head, First, Taken, Last, IsReady, IsLeaving) = (0, 1, 0, 0, false, false);
    }

    private int IndexOf(ulong number) => (int)(number - First) + _head;

    /// <summary>An event on the lane.</summary>
    /// <param name="Event">The event.</param>
    /// <param name="Route">Its route.</param>
    /// <param name="IsAnswered">True if an outcome answered it before it was accepted.</param>
    public readonly record struct Entry(PendingEvent Event, SourceRoute Route, bool IsAnswered = false);
}
