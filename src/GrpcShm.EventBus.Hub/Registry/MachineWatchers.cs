using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Registry;

/// <summary>
/// The watchers of machines that come and go. The registry's lock guards it, so that each watcher is told in order.
/// </summary>
internal sealed class MachineWatchers
{
    private readonly TextIndex<MachineWatcher> _watchers = new();
    private readonly HashSet<MachineWatcher> _added = [];

    public int Count => _added.Count;

    /// <summary>Checks whether a watcher's session and the hub may have one more. Needs no lock.</summary>
    public static Verdict Admit(MachineWatcher watcher)
    {
        var budget = watcher.Budget;
        if (budget.Observers.Take(1) is { } full)
        {
            return full.Exhausted("The subscriptions that are no inboxes have reached");
        }

        if (budget.Patterns.Take(watcher.Weight) is { } fullOfPatterns)
        {
            budget.Observers.Give(1);
            return fullOfPatterns.Exhausted(
                "The patterns with wildcards, which each machine is compared with, have reached");
        }

        return Verdict.Ok;
    }

    /// <summary>
    /// Tells a watcher of the machines that were there when it was added. Outside of the lock: they may be many.
    /// </summary>
    public static Verdict Begin(MachineWatcher watcher, MachineEntry[] present, RoutingContext context)
    {
        var changes = present
            .Where(machine => watcher.Wants(machine.Id))
            .Select(machine => Change(MachineChangeKind.Present, machine, ""))
            .Append(Change(MachineChangeKind.Complete, null, ""))
            .ToArray();

        // Taken here until the mailbox has taken it itself: of several watchers that begin at once each finds the room
        // that the others have left.
        var weight = changes.Sum(static change => change.Weight);
        if (watcher.Budget.Waiting.Take(weight) is { } full)
        {
            return full.Exhausted("The bytes of events that wait would exceed");
        }

        watcher.Begin(changes, context);
        watcher.Budget.Waiting.Give(weight);
        return Verdict.Ok;
    }

    /// <summary>Adds a watcher that has been admitted, which is told of changes from then on.</summary>
    public void Add(MachineWatcher watcher)
    {
        _added.Add(watcher);
        _watchers.Add(watcher.Key, watcher.IsKeyBeginning, watcher);
    }

    public void Remove(MachineWatcher watcher)
    {
        if (_added.Remove(watcher))
        {
            _watchers.Remove(watcher.Key, watcher.IsKeyBeginning, watcher);
            GiveBack(watcher);
        }
    }

    /// <summary>Puts a change into the mailboxes of the watchers that it concerns.</summary>
    /// <param name="kind">The kind of the change.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="reason">The reason, if the machine has gone.</param>
    /// <param name="context">The writers to wake when the lock has been left.</param>
    public void Tell(MachineChangeKind kind, MachineEntry machine, string reason, RoutingContext context)
    {
        MailItem? change = null;
        foreach (var watchers in _watchers.Find(machine.Id))
        {
            foreach (var watcher in watchers)
            {
                if (watcher?.Wants(machine.Id) is true)
                {
                    watcher.Put(change ??= Change(kind, machine, reason), context);
                }
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
        return new MailItem(new MessageEvent(@event), @event.CalculateSize(), null);
    }
}
