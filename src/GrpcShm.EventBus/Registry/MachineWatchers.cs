using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Registry;

/// <summary>Who is told of machines that come and go. Guarded by the registry's lock: so each one is told in order.</summary>
internal sealed class MachineWatchers
{
    private readonly List<MachineWatcher> _watchers = [];

    /// <summary>Adds a watcher, and tells it first of the machines that are there; if its session and the hub may have one more.</summary>
    public Verdict Add(MachineWatcher watcher, IEnumerable<MachineEntry> present, RoutingContext context)
    {
        var budget = watcher.Budget;
        if (budget.Observers.Take(1) is { } full)
        {
            return full.Exhausted("The subscriptions that are no inboxes have reached");
        }

        if (budget.Patterns.Take(watcher.Weight) is { } fullOfPatterns)
        {
            budget.Observers.Give(1);
            return fullOfPatterns.Exhausted("The patterns with wildcards, which each machine is compared with, have reached");
        }

        var changes = present
            .Where(machine => watcher.Wants(machine.Id))
            .Select(machine => Change(MachineChangeKind.Present, machine, ""))
            .Append(Change(MachineChangeKind.Complete, null, ""))
            .ToArray();
        if (budget.Waiting.CheckRoom(changes.Sum(static change => change.Weight)) is { } fullOfEvents)
        {
            GiveBack(watcher);
            return fullOfEvents.Exhausted("The bytes of events that wait would exceed");
        }

        _watchers.Add(watcher);
        watcher.Subscriber.Preload(changes, context);
        return Verdict.Ok;
    }

    public void Remove(MachineWatcher watcher)
    {
        if (_watchers.Remove(watcher))
        {
            GiveBack(watcher);
        }
    }

    /// <summary>Puts a change into the mailboxes of those whom it concerns.</summary>
    /// <param name="kind">What happened.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="reason">Why, if it has gone.</param>
    /// <param name="context">Whom to wake when the lock has been left; made when there is somebody.</param>
    public void Tell(MachineChangeKind kind, MachineEntry machine, string reason, ref RoutingContext? context)
    {
        if (_watchers.Count == 0)
        {
            return;
        }

        var item = Change(kind, machine, reason);
        foreach (var watcher in _watchers)
        {
            if (watcher.Wants(machine.Id))
            {
                watcher.Subscriber.Put(item, context ??= new RoutingContext());
            }
        }
    }

    private static void GiveBack(MachineWatcher watcher)
    {
        watcher.Budget.Observers.Give(1);
        watcher.Budget.Patterns.Give(watcher.Weight);
    }

    private static MailItem Change(MachineChangeKind kind, MachineEntry? machine, string reason)
    {
        var @event = new Event
        {
            Name = kind switch
            {
                MachineChangeKind.Present => "machine.present",
                MachineChangeKind.Complete => "machine.complete",
                MachineChangeKind.Registered => "machine.registered",
                MachineChangeKind.Unregistered => "machine.unregistered",
                _ => "machine.lost",
            },
            Source = machine?.Id ?? "",
            Timestamp = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks,
            MachineChange = new MachineChange { Kind = kind, Machine = machine?.Describe(), Reason = reason },
        };
        return new MailItem(@event, @event.CalculateSize(), null);
    }
}
