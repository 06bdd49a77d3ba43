using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Registry;

/// <summary>A subscription to the coming and going of machines whose ids match a pattern.</summary>
/// <remarks>
/// There may be many machines. So they are named outside of the registry's lock, and changes in the meantime are held
/// back here until all machines have been named.
/// </remarks>
internal sealed class MachineWatcher(string pattern, Subscriber subscriber, SessionBudget budget) : ISlotted
{
    private readonly NamePattern _pattern = new(pattern);
    private readonly Lock _lock = new();

    // Under its own lock; none once all machines have been named.
    private List<MailItem>? _held = [];

    public Subscriber Subscriber { get; } = subscriber;

    /// <summary>The budget of its session.</summary>
    public SessionBudget Budget { get; } = budget;

    /// <summary>The cost of a comparison with a machine at worst, in units of the cheapest pattern.</summary>
    public int Weight => _pattern.Weight;

    /// <summary>How the ids of its machines begin, or the only id.</summary>
    public string Key => _pattern.Beginning;

    /// <summary>True if ids only have to begin with the key.</summary>
    public bool IsKeyBeginning => _pattern.Exact is null;

    int ISlotted.Slot { get; set; }

    public bool Wants(string machineId) => _pattern.Matches(machineId);

    /// <summary>Tells it of a change. The registry's lock is held, so that changes come in order.</summary>
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

    /// <summary>Tells it of the machines that are there, and then of the changes since.</summary>
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
