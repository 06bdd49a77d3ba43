using Grpc.Core;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Registry;

/// <summary>All registered machines, by id and by group, with their owners.</summary>
/// <remarks>Senders look up without a lock. Callers that register or unregister take the one lock.</remarks>
internal sealed class MachineRegistry(int unclaimedCapacity, long maxUnclaimedSize, HubLanes? lanes = null)
{
    // Watchers are told under the lock. Many machines that come or go must not keep other callers from registering.
    private const int MostAtOnce = 1000;

    private readonly Lock _lock = new();
    private readonly MachineTable _machines = new();
    private readonly MachineWatchers _watchers = new();

    public int Count => _machines.Count;

    /// <summary>All machines, in no order.</summary>
    public IEnumerable<MachineEntry> All => _machines.All;

    // Under the lock: each watcher is compared with each of the machines.
    private int MostThatAreToldOf => Math.Max(1, MostAtOnce / (1 + _watchers.Count));

    public bool TryGet(string machineId, out MachineEntry? machine) => _machines.TryGet(machineId, out machine);

    /// <summary>Finds the machine that an event names.</summary>
    public bool TryGet(RoutedEvent @event, EventPart part, out MachineEntry? machine) =>
        _machines.TryGet(@event, part, out machine);

    public MachineEntry[] InGroup(string group) => _machines.InGroup(group);

    /// <summary>Registers a machine. If the same process has registered it already, its groups are changed.</summary>
    public Verdict Register(
        MachineOwner owner, string machineId, IReadOnlyCollection<string>? groups, out MachineEntry? machine)
    {
        machine = null;
        var sorted = groups is null ? null : Sorted(groups);
        var change = new BudgetChange(owner.Budget.Hub);
        var after = new Aftermath(lanes);
        Verdict verdict;
        lock (_lock)
        {
            verdict = RegistrationCheck.Check(_machines, owner, machineId, sorted, change);
            verdict = verdict.IsOk ? change.TryMake() : verdict;
            if (verdict.IsOk)
            {
                machine = Carry(owner, machineId, sorted, after);
                TellOfNew(after, 0, 1);
            }
        }

        after.Run();
        return verdict;
    }

    /// <summary>
    /// Registers machines, all of them or none. Machines that the same process had before stay its own either way.
    /// </summary>
    public Verdict RegisterAll(MachineOwner owner, IReadOnlyCollection<Registration> registrations)
    {
        // Of several registrations of the same machine the last one gives its groups.
        var wanted = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var registration in registrations)
        {
            wanted[registration.MachineId] = Sorted(registration.Groups);
        }

        var change = new BudgetChange(owner.Budget.Hub);
        var after = new Aftermath(lanes);
        lock (_lock)
        {
            foreach (var (machineId, groups) in wanted)
            {
                var verdict = RegistrationCheck.Check(_machines, owner, machineId, groups, change);
                if (!verdict.IsOk)
                {
                    return verdict;
                }
            }

            if (change.TryMake() is { IsOk: false } full)
            {
                return full;
            }

            // No registration can be refused any more: all are checked, the budgets are taken, and the lock is held.
            foreach (var (machineId, groups) in wanted)
            {
                Carry(owner, machineId, groups, after);
            }

            if (_watchers.Count == 0)
            {
                TellOfNew(after, 0, after.New.Count);
            }
        }

        // In pieces, as at an end. A watcher that begins in between is told by the same loop.
        for (int told = 0, piece; told < after.New.Count; told += piece)
        {
            lock (_lock)
            {
                piece = MostThatAreToldOf;
                TellOfNew(after, told, piece);
            }
        }

        after.Run();
        return Verdict.Ok;
    }

    /// <summary>Unregisters a machine, if its owner is the same process as <paramref name="owner"/>.</summary>
    public Verdict Unregister(MachineOwner owner, string machineId, out Subscriber? inbox)
    {
        inbox = null;
        MachineEntry? machine;
        var after = new Aftermath(lanes);
        lock (_lock)
        {
            if (!_machines.TryGet(machineId, out machine))
            {
                return Verdict.NotFound(machineId);
            }

            if (!machine.Owner.IsSameProcessAs(owner))
            {
                return new Verdict(
                    StatusCode.PermissionDenied, $"The machine '{machineId}' belongs to another process.", machineId);
            }

            Remove(machine, MachineChangeKind.Unregistered, "Its process unregistered it.", after.Told);
        }

        inbox = machine.End();
        lanes?.WithdrawMachine(machine, after.Told);
        after.Run();
        return Verdict.Ok;
    }

    /// <summary>Unregisters all machines of an owner that has ended.</summary>
    /// <param name="owner">The owner.</param>
    /// <param name="kind">The change of which watchers are told: unregistered by wish, or lost.</param>
    /// <param name="reason">The reason, for people to read.</param>
    /// <returns>How many there were.</returns>
    public int End(MachineOwner owner, MachineChangeKind kind, string reason)
    {
        var ended = 0;
        int removed;
        do
        {
            removed = EndSome(owner, kind, reason);
            ended += removed;
        }
        while (removed > 0);
        return ended;
    }

    /// <summary>
    /// Says which machines have gone with an owner that has ended: all of them, once <see cref="End"/> has returned to
    /// the caller.
    /// </summary>
    public string DescribeGone(MachineOwner owner)
    {
        lock (_lock)
        {
            return owner.Gone.Describe();
        }
    }

    /// <summary>Tells a subscriber which machines are there, and from then on which come and go.</summary>
    public Verdict Watch(MachineWatcher watcher, RoutingContext context)
    {
        var verdict = MachineWatchers.Admit(watcher);
        if (!verdict.IsOk)
        {
            return verdict;
        }

        MachineEntry[] present;
        lock (_lock)
        {
            // Only the list of machines must be of one moment. The description of each is made without the lock.
            present = [.. All.Where(static machine => machine.IsTold)];
            _watchers.Add(watcher);
        }

        verdict = MachineWatchers.Begin(watcher, present, context);
        if (!verdict.IsOk)
        {
            Unwatch(watcher);
        }

        return verdict;
    }

    public void Unwatch(MachineWatcher watcher)
    {
        lock (_lock)
        {
            _watchers.Remove(watcher);
        }
    }

    private int EndSome(MachineOwner owner, MachineChangeKind kind, string reason)
    {
        var after = new Aftermath(lanes);
        lock (_lock)
        {
            // The owner gets no more machines, so the next call finds those that this one left.
            owner.Ending ??= (kind, reason);
            after.Removed.AddRange(owner.Machines.Take(MostThatAreToldOf));
            foreach (var machine in after.Removed)
            {
                Remove(machine, kind, reason, after.Told);
            }
        }

        after.Run();
        return after.Removed.Count;
    }

    private static string[] Sorted(IReadOnlyCollection<string> groups) =>
        groups.Count == 0 ? [] : [.. groups.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    // Makes a registration that has been checked, and for which the budgets have been changed.
    private MachineEntry Carry(MachineOwner owner, string machineId, string[]? groups, Aftermath after)
    {
        if (_machines.TryGet(machineId, out var machine) && machine.Owner.Ending is { } ending)
        {
            // Its owner has ended and will remove this machine in a moment. It must not mistake the next machine of
            // that id for its own.
            Remove(machine, ending.Kind, ending.Reason, after.Told, isGivenBack: true);
            after.Removed.Add(machine);
            machine = null;
        }

        if (machine is null)
        {
            machine = new MachineEntry(machineId, owner, [], unclaimedCapacity, maxUnclaimedSize);
            owner.Machines.Add(machine);
            _machines.Add(machine, groups ?? []);
            after.New.Add(machine);
            return machine;
        }

        if (RegistrationCheck.IsTakenOver(machine, owner))
        {
            machine.Owner.Machines.Remove(machine);
            machine.Owner = owner;
            owner.Machines.Add(machine);
        }

        if (groups is not null)
        {
            _machines.ChangeGroups(machine, groups);
        }

        return machine;
    }

    // Tells watchers of some new machines, except those that have gone since.
    private void TellOfNew(Aftermath after, int first, int count)
    {
        foreach (var machine in after.New.Skip(first).Take(count))
        {
            if (!machine.IsGone && !machine.IsTold)
            {
                machine.IsTold = true;
                _watchers.Tell(MachineChangeKind.Registered, machine, "", after.Told);
            }
        }
    }

    private void Remove(
        MachineEntry machine, MachineChangeKind kind, string reason, RoutingContext told, bool isGivenBack = false)
    {
        machine.IsGone = true;
        if (machine.Owner.Ending is not null)
        {
            machine.Owner.Gone.Add(machine.Id);
        }

        if (machine.IsTold)
        {
            _watchers.Tell(kind, machine, reason, told);
        }

        var weight = MachineWeight.Of(machine.Id) + machine.GroupsWeight;
        _machines.Remove(machine);
        machine.Owner.Machines.Remove(machine);
        if (!isGivenBack)
        {
            machine.Owner.Budget.Machines.Give(1);
            machine.Owner.Budget.Registrations.Give(weight);
        }
    }
}
