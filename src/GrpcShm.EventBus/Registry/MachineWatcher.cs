using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Registry;

/// <summary>Who is told of the machines whose ids match a pattern.</summary>
internal sealed class MachineWatcher(string pattern, Subscriber subscriber, SessionBudget budget)
{
    private readonly NamePattern _pattern = new(pattern);

    public Subscriber Subscriber { get; } = subscriber;

    /// <summary>Whose it is.</summary>
    public SessionBudget Budget { get; } = budget;

    /// <summary>What it costs at worst to compare it with a machine, in units of the cheapest.</summary>
    public int Weight => _pattern.Weight;

    public bool Wants(string machineId) => _pattern.Matches(machineId);
}
