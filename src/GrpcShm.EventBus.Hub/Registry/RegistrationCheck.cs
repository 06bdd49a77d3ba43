using Grpc.Core;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Registry;

/// <summary>Checks a registration under the registry's lock. It changes nothing.</summary>
internal static class RegistrationCheck
{
    /// <summary>Checks whether a machine may be registered, and adds the change of the budgets.</summary>
    public static Verdict Check(
        MachineTable machines, MachineOwner owner, string machineId, string[]? groups, BudgetChange change)
    {
        if (owner.Ending is not null)
        {
            return new Verdict(StatusCode.Unavailable, "The session has ended.", machineId);
        }

        var isThere = machines.TryGet(machineId, out var existing);
        if (isThere && existing!.Owner.Ending is not null)
        {
            // Its owner has ended: the machine is removed now instead of in a moment.
            change.Add(existing.Owner.Budget, -1, -MachineWeight.Of(machineId) - existing.GroupsWeight);
            isThere = false;
        }

        if (!isThere)
        {
            change.Add(owner.Budget, 1, MachineWeight.Of(machineId) + MachineWeight.Of(groups ?? []));
            return Verdict.Ok;
        }

        if (!existing!.Owner.IsSameProcessAs(owner))
        {
            return Taken(existing);
        }

        var weight = groups is null ? existing.GroupsWeight : MachineWeight.Of(groups);
        if (IsTakenOver(existing, owner))
        {
            change.Add(existing.Owner.Budget, -1, -MachineWeight.Of(machineId) - existing.GroupsWeight);
            change.Add(owner.Budget, 1, MachineWeight.Of(machineId) + weight);
        }
        else
        {
            // Another session of the process may own the machine: that session's budget counts it.
            change.Add(existing.Owner.Budget, 0, weight - existing.GroupsWeight);
        }

        return Verdict.Ok;
    }

    /// <summary>
    /// True if an owner takes a machine over. A lease is only a promise: the owner that keeps it takes the machine.
    /// </summary>
    public static bool IsTakenOver(MachineEntry machine, MachineOwner owner) =>
        machine.Owner.IsLease && machine.Owner != owner;

    private static Verdict Taken(MachineEntry machine) => new(
        StatusCode.AlreadyExists,
        machine.Owner.Name.Length > 0
            ? $"The machine '{machine.Id}' is registered by '{machine.Owner.Name}', which is alive."
            : $"The machine '{machine.Id}' is registered by another process, which is alive.",
        machine.Id);
}
