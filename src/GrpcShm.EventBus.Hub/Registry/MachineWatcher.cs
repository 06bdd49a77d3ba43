using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Registry;

/// <summary>Who is told of the machines whose ids match a pattern.</summary>
/// <remarks>
/// The machines that are there may be many. So they are named outside of the registry's lock, and what changes
/// meanwhile is held back here until they have been.
/// </remarks>
internal sealed class MachineWatcher(string pattern, Subscriber subscriber, SessionBudget budget)
{
    private readonly NamePattern _pattern = new(pattern);
    private readonly Lock _lock = new();

    // Under its own lock; none once all that were there have been named.
    private List<MailItem>? _held = [];

    public Subscriber Subscriber { get; } = subscriber;

    /// <summary>Whose it is.</summary>
    public SessionBudget Budget { get; } = budget;

    /// <summary>What it costs at worst to compare it with a machine, in units of the cheapest.</summary>
    public int Weight => _pattern.Weight;

    public bool Wants(string machineId) => _pattern.Matches(machineId);

    /// <summary>Tells it of a change. Under the registry's lock: so it is told in order.</summary>
    public void Put(in MailItem change, RoutingContext context)
    {
        lock (_lock)
        {
            if (_held is not null)
            {
                _held.Add(change);
                return;
            }
        }

        Subscriber.Put(change, context);
    }

    /// <summary>Tells it of the machines that are there, and then of what has changed since.</summary>
    public void Begin(IEnumerable<MailItem> present, RoutingContext context)
    {
        Subscriber.Preload(present, context);
        while (TakeHeld() is { } held)
        {
            foreach (var change in held)
            {
                Subscriber.Put(change, context);
            }
        }
    }

    private List<MailItem>? TakeHeld()
    {
        lock (_lock)
        {
            var held = _held;
            _held = held is { Count: > 0 } ? [] : null;
            return _held is null ? null : held;
        }
    }
}
