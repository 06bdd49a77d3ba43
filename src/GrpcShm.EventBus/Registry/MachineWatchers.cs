using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Registry;

/// <summary>Who is told of machines that come and go. Guarded by the registry's lock: so each one is told in order.</summary>
internal sealed class MachineWatchers
{
    private readonly List<(string Pattern, Subscriber Subscriber)> _watchers = [];

    /// <summary>Adds a watcher, and tells it first of the machines that are there.</summary>
    public void Add(string pattern, Subscriber subscriber, IEnumerable<MachineEntry> present, RoutingContext context)
    {
        _watchers.Add((pattern, subscriber));
        var changes = present
            .Where(machine => Glob.Matches(pattern, machine.Id))
            .Select(machine => Change(MachineChangeKind.Present, machine, ""))
            .Append(Change(MachineChangeKind.Complete, null, ""));
        subscriber.Preload(changes, context);
    }

    public void Remove(Subscriber subscriber) => _watchers.RemoveAll(watcher => watcher.Subscriber == subscriber);

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
        foreach (var (pattern, subscriber) in _watchers)
        {
            if (Glob.Matches(pattern, machine.Id))
            {
                subscriber.Put(item, context ??= new RoutingContext());
            }
        }
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
