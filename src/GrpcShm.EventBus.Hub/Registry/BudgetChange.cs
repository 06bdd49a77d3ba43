using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Registry;

/// <summary>
/// What registrations take of budgets, or give back, all of them together: known before anything is done, so that
/// either all is done or nothing. For whoever holds the registry's lock, without which nobody takes of these budgets.
/// </summary>
internal sealed class BudgetChange(HubBudget hub)
{
    private readonly Dictionary<SessionBudget, (long Machines, long Bytes)> _changes = [];

    public void Add(SessionBudget budget, long machines, long bytes)
    {
        var (sum, size) = _changes.GetValueOrDefault(budget);
        _changes[budget] = (sum + machines, size + bytes);
    }

    /// <summary>Takes and gives back, if there is room for all that is taken.</summary>
    public Verdict TryMake()
    {
        Quota? full = null;
        Quota? fullOfBytes = null;
        foreach (var (budget, (machines, bytes)) in _changes)
        {
            full ??= budget.Machines.CheckOwnRoom(machines);
            fullOfBytes ??= budget.Registrations.CheckOwnRoom(bytes);
        }

        // What one budget gives back another one may take: of the hub's that is one sum.
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
