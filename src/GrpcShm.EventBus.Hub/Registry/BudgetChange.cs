using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Registry;

/// <summary>
/// The sum of what registrations take of budgets, or give back. It is known before anything is done, so that either all
/// registrations are made or none. Only code that holds the registry's lock uses it, and takes of these budgets.
/// </summary>
internal sealed class BudgetChange(HubBudget hub)
{
    private readonly Dictionary<SessionBudget, (long Machines, long Bytes)> _changes = [];

    public void Add(SessionBudget budget, long machines, long bytes)
    {
        var (sum, size) = _changes.GetValueOrDefault(budget);
        _changes[budget] = (sum + machines, size + bytes);
    }

    /// <summary>Makes the change, if there is room for all that it takes.</summary>
    public Verdict TryMake()
    {
        Quota? full = null;
        Quota? fullOfBytes = null;
        foreach (var (budget, (machines, bytes)) in _changes)
        {
            full ??= budget.Machines.CheckOwnRoom(machines);
            fullOfBytes ??= budget.Registrations.CheckOwnRoom(bytes);
        }

        // One budget may take what another one gives back: for the hub's budget they are one sum.
        full ??= hub.Machines.CheckOwnRoom(_changes.Values.Sum(static change => change.Machines));
        fullOfBytes ??= hub.Registrations.CheckOwnRoom(_changes.Values.Sum(static change => change.Bytes));
        if (full is not null)
        {
            return full.Exhausted("The machines would exceed");
        }

        if (fullOfBytes is not null)
        {
            return fullOfBytes.Exhausted("The bytes of machines, their ids and their groups would exceed");
        }

        foreach (var (budget, (machines, bytes)) in _changes)
        {
            budget.Machines.Force(machines);
            budget.Registrations.Force(bytes);
        }

        return Verdict.Ok;
    }
}
