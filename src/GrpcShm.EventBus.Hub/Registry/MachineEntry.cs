using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Registry;

/// <summary>A registered machine.</summary>
/// <remarks>
/// While the inbox has no subscription, events wait in the entry itself, under its lock. A subscription takes them over
/// under the same lock before it becomes visible, so no event is lost or overtaken in between. Afterwards senders find
/// the inbox without a lock.
/// </remarks>
internal sealed class MachineEntry(
    string id, MachineOwner owner, string[] groups, int unclaimedCapacity, long maxUnclaimedSize)
{
    private readonly Lock _lock = new();
    private UnclaimedEvents? _unclaimed;
    private Subscriber? _inbox;
    private bool _ended;
    private volatile bool _isGone;
    private volatile MachineOwner _owner = owner;

    public string Id { get; } = id;

    // Changed under the registry's lock. Senders read it without: they see the old or the new owner, which are the same
    // process.
    public MachineOwner Owner
    {
        get => _owner;
        set => _owner = value;
    }

    // Guarded by the registry's lock.
    public string[] Groups { get; set; } = groups;

    /// <summary>The bytes that its groups count. The registry's lock guards it.</summary>
    public long GroupsWeight { get; set; }

    /// <summary>
    /// True if watchers know of it, so that they are told of its end, too. The registry's lock guards it.
    /// </summary>
    public bool IsTold { get; set; }

    /// <summary>
    /// True if it has been removed, under the registry's lock. The lane table looks at it without that lock.
    /// </summary>
    public bool IsGone
    {
        get => _isGone;
        set => _isGone = value;
    }

    public DateTime RegisteredAt { get; } = DateTime.UtcNow;

    public Subscriber? Inbox => Volatile.Read(ref _inbox);

    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _inbox?.Mailbox.Waiting ?? _unclaimed?.Items.Count ?? 0;
            }
        }
    }

    public Machine Describe() => new()
    {
        MachineId = Id,
        Groups = { Groups },
        Subscribed = Inbox is not null,
        Waiting = (uint)Waiting,
        RegisteredAt = (RegisteredAt - DateTime.UnixEpoch).Ticks,
        Owner = Owner.Name,
    };

    /// <summary>Puts an event into the inbox, or keeps it until there is one.</summary>
    public PutResult Put(in MailItem item, RoutingContext context)
    {
        if (Inbox is { } inbox && inbox.Put(item, context) is var result and not PutResult.Closed)
        {
            return result;
        }

        return PutOrKeep(item, context);
    }

    /// <summary>Makes a subscriber the machine's inbox. It gets the events that were kept.</summary>
    /// <returns><see langword="false"/> if there is an inbox or the machine is not registered any more.</returns>
    public bool TryAttach(Subscriber subscriber, RoutingContext context)
    {
        lock (_lock)
        {
            if (_ended || _inbox is not null)
            {
                return false;
            }

            if (_unclaimed is not null)
            {
                subscriber.Preload(_unclaimed.Items, context);
            }

            ForgetUnclaimed();
            Volatile.Write(ref _inbox, subscriber);
            return true;
        }
    }

    /// <summary>Makes events wait in the entry again.</summary>
    public void Detach(Subscriber subscriber)
    {
        lock (_lock)
        {
            if (_inbox == subscriber)
            {
                Volatile.Write(ref _inbox, null);
            }
        }
    }

    /// <summary>Takes no more events, and fails those that wait. The registry has removed the entry.</summary>
    /// <returns>The subscriber of the inbox, whose subscription ends with the machine.</returns>
    public Subscriber? End()
    {
        Subscriber? inbox;
        UnclaimedEvents? unclaimed;
        lock (_lock)
        {
            _ended = true;
            (inbox, unclaimed) = (_inbox, _unclaimed);
            Volatile.Write(ref _inbox, null);
            ForgetUnclaimed();
        }

        foreach (var item in unclaimed?.Items ?? [])
        {
            item.Pending?.FailGone();
        }

        inbox?.Close();
        return inbox;
    }

    private PutResult PutOrKeep(in MailItem item, RoutingContext context)
    {
        lock (_lock)
        {
            if (_ended)
            {
                return PutResult.Closed;
            }

            if (_inbox is not null)
            {
                return _inbox.Put(item, context);
            }

            _unclaimed ??= new UnclaimedEvents(unclaimedCapacity, maxUnclaimedSize, Owner.Budget.Waiting);
            return _unclaimed.TryAdd(item) ? PutResult.Accepted : PutResult.Full;
        }
    }

    // Under the lock. The subscriber has counted the events that it took over.
    private void ForgetUnclaimed()
    {
        _unclaimed?.Uncount();
        _unclaimed = null;
    }
}
