using System.Collections.Concurrent;
using Grpc.Core;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Registry;

/// <summary>All registered machines, by id and by group, and who owns them.</summary>
/// <remarks>Senders look up without a lock; whoever registers or unregisters takes the one lock.</remarks>
internal sealed class MachineRegistry(int unclaimedCapacity, long maxUnclaimedSize)
{
    // Roughly what a machine, and its place in a group, take in memory beside their names.
    private const long MachineOverhead = 512;
    private const long MembershipOverhead = 128;

    // Watchers are told under the lock. Many machines that come or go must not keep others from registering for long.
    private const int MostAtOnce = 1000;

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, MachineEntry> _machines = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, MachineGroup> _groups = new(StringComparer.Ordinal);
    private readonly MachineWatchers _watchers = new();
    private int _count;

    public int Count => Volatile.Read(ref _count);

    // Under the lock: each watcher is to be compared with each of them.
    private int MostThatAreToldOf => Math.Max(1, MostAtOnce / (1 + _watchers.Count));

    public bool TryGet(string machineId, out MachineEntry? machine) => _machines.TryGetValue(machineId, out machine);

    /// <summary>All machines, in no order.</summary>
    public IEnumerable<MachineEntry> All => _machines.Select(pair => pair.Value);

    public MachineEntry[] InGroup(string group) => _groups.TryGetValue(group, out var members) ? members.Snapshot : [];

    /// <summary>Registers a machine. One that the same process has registered already changes its groups.</summary>
    public Verdict Register(MachineOwner owner, string machineId, IReadOnlyCollection<string>? groups, out MachineEntry? machine)
    {
        machine = null;
        var sorted = groups is null ? null : Sorted(groups);
        var change = new BudgetChange(owner.Budget.Hub);
        var after = new Aftermath();
        Verdict verdict;
        lock (_lock)
        {
            verdict = Check(owner, machineId, sorted, change);
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

    /// <summary>Registers machines, all of them or none. Those that the same process had before stay its own either way.</summary>
    public Verdict RegisterAll(MachineOwner owner, IReadOnlyCollection<Registration> registrations)
    {
        // Of several for the same machine the last one says what its groups are.
        var wanted = new Dictionary<string, string[]>(StringComparer.Ordinal);
        foreach (var registration in registrations)
        {
            wanted[registration.MachineId] = Sorted(registration.Groups);
        }

        var change = new BudgetChange(owner.Budget.Hub);
        var after = new Aftermath();
        lock (_lock)
        {
            foreach (var (machineId, groups) in wanted)
            {
                var verdict = Check(owner, machineId, groups, change);
                if (!verdict.IsOk)
                {
                    return verdict;
                }
            }

            if (change.TryMake() is { IsOk: false } full)
            {
                return full;
            }

            // Nothing can be refused any more: all is checked, what it takes is taken, and nobody comes in between.
            foreach (var (machineId, groups) in wanted)
            {
                Carry(owner, machineId, groups, after);
            }

            if (_watchers.Count == 0)
            {
                TellOfNew(after, 0, after.New.Count);
            }
        }

        // In pieces, as at an end. Who comes to watch in between is told by the same.
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
        var after = new Aftermath();
        lock (_lock)
        {
            if (!_machines.TryGetValue(machineId, out machine))
            {
                return Verdict.NotFound(machineId);
            }

            if (!machine.Owner.IsSameProcessAs(owner))
            {
                return new Verdict(StatusCode.PermissionDenied, $"The machine '{machineId}' belongs to another process.", machineId);
            }

            Remove(machine, MachineChangeKind.Unregistered, "Its process unregistered it.", after.Told);
        }

        inbox = machine.End();
        after.Run();
        return Verdict.Ok;
    }

    /// <summary>Unregisters all machines of an owner that has ended.</summary>
    /// <param name="owner">The owner.</param>
    /// <param name="kind">What watchers are told: that it was wished for, or that the machines are lost.</param>
    /// <param name="reason">Why, for people to read.</param>
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
            // Which ones there are is all that must be known at one moment. What is said of each is made without the lock.
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
        var after = new Aftermath();
        lock (_lock)
        {
            // No more of its own come, so the next ones find what this one left.
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

    private static Verdict Taken(MachineEntry machine) => new(
        StatusCode.AlreadyExists,
        machine.Owner.Name.Length > 0
            ? $"The machine '{machine.Id}' is registered by '{machine.Owner.Name}', which is alive."
            : $"The machine '{machine.Id}' is registered by another process, which is alive.",
        machine.Id);

    private static string[] Sorted(IReadOnlyCollection<string> groups) =>
        groups.Count == 0 ? [] : [.. groups.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static long WeightOf(string machineId) => MachineOverhead + (sizeof(char) * machineId.Length);

    private static long WeightOf(IEnumerable<string> groups) =>
        groups.Sum(static group => MembershipOverhead + (long)(sizeof(char) * group.Length));

    // A lease is only a promise: whoever keeps it takes the machine over.
    private static bool IsTakenOver(MachineEntry machine, MachineOwner owner) => machine.Owner.IsLease && machine.Owner != owner;

    // Whether a machine may be registered, and what that changes in budgets. Nothing is done yet.
    private Verdict Check(MachineOwner owner, string machineId, string[]? groups, BudgetChange change)
    {
        if (owner.Ending is not null)
        {
            return new Verdict(StatusCode.Unavailable, "The session has ended.", machineId);
        }

        var isThere = _machines.TryGetValue(machineId, out var existing);
        if (isThere && existing!.Owner.Ending is not null)
        {
            // It goes now instead of in a moment.
            change.Add(existing.Owner.Budget, -1, -WeightOf(machineId) - existing.GroupsWeight);
            isThere = false;
        }

        if (!isThere)
        {
            change.Add(owner.Budget, 1, WeightOf(machineId) + WeightOf(groups ?? []));
            return Verdict.Ok;
        }

        if (!existing!.Owner.IsSameProcessAs(owner))
        {
            return Taken(existing);
        }

        var weight = groups is null ? existing.GroupsWeight : WeightOf(groups);
        if (IsTakenOver(existing, owner))
        {
            change.Add(existing.Owner.Budget, -1, -WeightOf(machineId) - existing.GroupsWeight);
            change.Add(owner.Budget, 1, WeightOf(machineId) + weight);
        }
        else
        {
            // Another session of the process may own it: its budget has the machine.
            change.Add(existing.Owner.Budget, 0, weight - existing.GroupsWeight);
        }

        return Verdict.Ok;
    }

    // What has been checked, and whose budgets have been changed.
    private MachineEntry Carry(MachineOwner owner, string machineId, string[]? groups, Aftermath after)
    {
        if (_machines.TryGetValue(machineId, out var machine) && machine.Owner.Ending is { } ending)
        {
            // Its owner has ended and comes to this one in a moment. It must not take the next one of that id for its own.
            Remove(machine, ending.Kind, ending.Reason, after.Told, isGivenBack: true);
            after.Removed.Add(machine);
            machine = null;
        }

        if (machine is null)
        {
            machine = new MachineEntry(machineId, owner, [], unclaimedCapacity, maxUnclaimedSize);
            owner.Machines.Add(machine);
            ChangeGroups(machine, groups ?? []);
            _machines[machineId] = machine;
            _count++;
            after.New.Add(machine);
            return machine;
        }

        if (IsTakenOver(machine, owner))
        {
            machine.Owner.Machines.Remove(machine);
            machine.Owner = owner;
            owner.Machines.Add(machine);
        }

        if (groups is not null)
        {
            ChangeGroups(machine, groups);
        }

        return machine;
    }

    // Those of some new machines that have not gone since.
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

    private void Remove(MachineEntry machine, MachineChangeKind kind, string reason, RoutingContext told, bool isGivenBack = false)
    {
        machine.IsGone = true;
        if (machine.IsTold)
        {
            _watchers.Tell(kind, machine, reason, told);
        }

        _machines.TryRemove(machine.Id, out _);
        machine.Owner.Machines.Remove(machine);
        if (!isGivenBack)
        {
            machine.Owner.Budget.Machines.Give(1);
            machine.Owner.Budget.Registrations.Give(WeightOf(machine.Id) + machine.GroupsWeight);
        }

        ChangeGroups(machine, []);
        _count--;
    }

    private void ChangeGroups(MachineEntry machine, string[] groups)
    {
        foreach (var name in machine.Groups)
        {
            if (_groups.TryGetValue(name, out var group) && group.Remove(machine) == 0)
            {
                _groups.TryRemove(name, out _);
            }
        }

        foreach (var name in groups)
        {
            _groups.GetOrAdd(name, _ => new MachineGroup()).Add(machine);
        }

        (machine.Groups, machine.GroupsWeight) = (groups, WeightOf(groups));
    }
}
