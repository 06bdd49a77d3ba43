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

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, MachineEntry> _machines = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, MachineGroup> _groups = new(StringComparer.Ordinal);
    private readonly MachineWatchers _watchers = new();
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public bool TryGet(string machineId, out MachineEntry? machine) => _machines.TryGetValue(machineId, out machine);

    /// <summary>All machines, in no order.</summary>
    public IEnumerable<MachineEntry> All => _machines.Select(pair => pair.Value);

    public MachineEntry[] InGroup(string group) => _groups.TryGetValue(group, out var members) ? members.Snapshot : [];

    /// <summary>Registers a machine. One that the same process has registered already changes its groups.</summary>
    public Verdict Register(MachineOwner owner, string machineId, IReadOnlyCollection<string>? groups, out MachineEntry? machine)
    {
        RoutingContext? told = null;
        Verdict verdict;
        lock (_lock)
        {
            verdict = RegisterUnderLock(owner, machineId, groups, out machine, ref told);
        }

        told?.SignalAll();
        return verdict;
    }

    /// <summary>Registers machines, all of them or none. Those that the same process had before stay its own either way.</summary>
    public Verdict RegisterAll(MachineOwner owner, IReadOnlyCollection<Registration> registrations)
    {
        RoutingContext? told = null;
        lock (_lock)
        {
            var verdict = CheckAll(owner, registrations);
            if (!verdict.IsOk)
            {
                return verdict;
            }

            // Nothing can be refused any more, and nobody comes in between.
            foreach (var registration in registrations)
            {
                RegisterUnderLock(owner, registration.MachineId, registration.Groups, out _, ref told);
            }
        }

        told?.SignalAll();
        return Verdict.Ok;
    }

    /// <summary>Unregisters a machine, if its owner is the same process as <paramref name="owner"/>.</summary>
    public Verdict Unregister(MachineOwner owner, string machineId, out Subscriber? inbox)
    {
        inbox = null;
        MachineEntry? machine;
        RoutingContext? told = null;
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

            Remove(machine, MachineChangeKind.Unregistered, "Its process unregistered it.", ref told);
        }

        inbox = machine.End();
        told?.SignalAll();
        return Verdict.Ok;
    }

    /// <summary>Unregisters all machines of an owner that has ended.</summary>
    /// <param name="owner">The owner.</param>
    /// <param name="kind">What watchers are told: that it was wished for, or that the machines are lost.</param>
    /// <param name="reason">Why, for people to read.</param>
    /// <returns>How many there were.</returns>
    public int End(MachineOwner owner, MachineChangeKind kind, string reason)
    {
        MachineEntry[] machines;
        RoutingContext? told = null;
        lock (_lock)
        {
            owner.HasEnded = true;
            machines = [.. owner.Machines];
            foreach (var machine in machines)
            {
                Remove(machine, kind, reason, ref told);
            }
        }

        foreach (var machine in machines)
        {
            machine.End();
        }

        told?.SignalAll();
        return machines.Length;
    }

    /// <summary>Tells a subscriber which machines are there, and from then on which come and go.</summary>
    public Verdict Watch(MachineWatcher watcher, RoutingContext context)
    {
        lock (_lock)
        {
            return _watchers.Add(watcher, All, context);
        }
    }

    public void Unwatch(MachineWatcher watcher)
    {
        lock (_lock)
        {
            _watchers.Remove(watcher);
        }
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

    private static Verdict? TryChangeOwner(MachineEntry machine, MachineOwner owner)
    {
        var (old, weight) = (machine.Owner, WeightOf(machine.Id) + machine.GroupsWeight);
        GiveBack(old, weight);
        if (TryTake(owner, weight) is { } full)
        {
            old.Budget.Machines.Force(1);
            old.Budget.Registrations.Force(weight);
            return full;
        }

        old.Machines.Remove(machine);
        machine.Owner = owner;
        owner.Machines.Add(machine);
        return null;
    }

    private static Verdict? TryTake(MachineOwner owner, long weight)
    {
        if (owner.Budget.Machines.Take(1) is { } machines)
        {
            return machines.Exhausted("The machines have reached");
        }

        if (owner.Budget.Registrations.Take(weight) is { } bytes)
        {
            owner.Budget.Machines.Give(1);
            return bytes.Exhausted("The bytes of machines, their ids and their groups have reached");
        }

        return null;
    }

    private static void GiveBack(MachineOwner owner, long weight)
    {
        owner.Budget.Machines.Give(1);
        owner.Budget.Registrations.Give(weight);
    }

    // All who register hold the lock, so what there is room for now there will be room for in a moment.
    private Verdict CheckAll(MachineOwner owner, IReadOnlyCollection<Registration> registrations)
    {
        var added = new HashSet<string>(StringComparer.Ordinal);
        long weight = 0;
        foreach (var registration in registrations)
        {
            weight += WeightOf(registration.Groups);
            if (!_machines.TryGetValue(registration.MachineId, out var existing))
            {
                weight += added.Add(registration.MachineId) ? WeightOf(registration.MachineId) : 0;
            }
            else if (!existing.Owner.IsSameProcessAs(owner))
            {
                return Taken(existing);
            }
            else if (existing.Owner.IsLease && existing.Owner != owner && added.Add(registration.MachineId))
            {
                weight += WeightOf(registration.MachineId);
            }
        }

        return owner.Budget.Machines.CheckRoom(added.Count)?.Exhausted("The machines would exceed")
            ?? owner.Budget.Registrations.CheckRoom(weight)?.Exhausted("The bytes of machines, their ids and their groups would exceed")
            ?? Verdict.Ok;
    }

    private Verdict RegisterUnderLock(
        MachineOwner owner, string machineId, IReadOnlyCollection<string>? groups, out MachineEntry? machine, ref RoutingContext? told)
    {
        machine = null;
        if (owner.HasEnded)
        {
            return new Verdict(StatusCode.Unavailable, "The session has ended.", machineId);
        }

        if (_machines.TryGetValue(machineId, out var existing))
        {
            if (!existing.Owner.IsSameProcessAs(owner))
            {
                return Taken(existing);
            }

            if (existing.Owner.IsLease && existing.Owner != owner && TryChangeOwner(existing, owner) is { } tooMany)
            {
                return tooMany;
            }

            machine = existing;
            return groups is null ? Verdict.Ok : TryChangeGroups(existing, Sorted(groups));
        }

        var sorted = Sorted(groups ?? []);
        var weight = WeightOf(sorted);
        if (TryTake(owner, WeightOf(machineId) + weight) is { } full)
        {
            return full;
        }

        machine = new MachineEntry(machineId, owner, [], unclaimedCapacity, maxUnclaimedSize) { GroupsWeight = weight };
        owner.Machines.Add(machine);
        ChangeGroups(machine, sorted);
        _machines[machineId] = machine;
        _count++;
        _watchers.Tell(MachineChangeKind.Registered, machine, "", ref told);
        return Verdict.Ok;
    }

    private void Remove(MachineEntry machine, MachineChangeKind kind, string reason, ref RoutingContext? told)
    {
        _watchers.Tell(kind, machine, reason, ref told);
        _machines.TryRemove(machine.Id, out _);
        machine.Owner.Machines.Remove(machine);
        GiveBack(machine.Owner, WeightOf(machine.Id) + machine.GroupsWeight);
        ChangeGroups(machine, []);
        _count--;
    }

    private Verdict TryChangeGroups(MachineEntry machine, string[] groups)
    {
        var weight = WeightOf(groups);
        var registrations = machine.Owner.Budget.Registrations;
        if (weight > machine.GroupsWeight && registrations.Take(weight - machine.GroupsWeight) is { } full)
        {
            return full.Exhausted("The bytes of machines, their ids and their groups have reached");
        }

        registrations.Give(Math.Max(0, machine.GroupsWeight - weight));

        machine.GroupsWeight = weight;
        ChangeGroups(machine, groups);
        return Verdict.Ok;
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

        machine.Groups = groups;
    }
}
