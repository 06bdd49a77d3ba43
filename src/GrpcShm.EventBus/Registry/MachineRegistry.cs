using System.Collections.Concurrent;
using Grpc.Core;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Registry;

/// <summary>All registered machines, by id and by group, and who owns them.</summary>
/// <remarks>Senders look up without a lock; whoever registers or unregisters takes the one lock.</remarks>
internal sealed class MachineRegistry(int maxMachines, int unclaimedCapacity)
{
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
            var added = new HashSet<string>(StringComparer.Ordinal);
            foreach (var registration in registrations)
            {
                if (!_machines.TryGetValue(registration.MachineId, out var existing))
                {
                    added.Add(registration.MachineId);
                }
                else if (!existing.Owner.IsSameProcessAs(owner))
                {
                    return Taken(existing);
                }
            }

            if (added.Count > maxMachines - _count)
            {
                return HasTooMany();
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
    public void Watch(string pattern, Subscriber subscriber, RoutingContext context)
    {
        lock (_lock)
        {
            _watchers.Add(pattern, subscriber, All, context);
        }
    }

    public void Unwatch(Subscriber subscriber)
    {
        lock (_lock)
        {
            _watchers.Remove(subscriber);
        }
    }

    private static Verdict Taken(MachineEntry machine) => new(
        StatusCode.AlreadyExists,
        machine.Owner.Name.Length > 0
            ? $"The machine '{machine.Id}' is registered by '{machine.Owner.Name}', which is alive."
            : $"The machine '{machine.Id}' is registered by another process, which is alive.",
        machine.Id);

    private Verdict HasTooMany() => Verdict.Exhausted($"The hub holds its limit of {maxMachines} machines.");

    private static string[] Sorted(IReadOnlyCollection<string> groups) =>
        groups.Count == 0 ? [] : [.. groups.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static void ChangeOwner(MachineEntry machine, MachineOwner owner)
    {
        machine.Owner.Machines.Remove(machine);
        machine.Owner = owner;
        owner.Machines.Add(machine);
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

            machine = existing;
            if (existing.Owner.IsLease)
            {
                ChangeOwner(existing, owner);
            }

            if (groups is not null)
            {
                ChangeGroups(existing, Sorted(groups));
            }

            return Verdict.Ok;
        }

        if (_count >= maxMachines)
        {
            return HasTooMany();
        }

        machine = new MachineEntry(machineId, owner, [], unclaimedCapacity);
        owner.Machines.Add(machine);
        ChangeGroups(machine, Sorted(groups ?? []));
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

        machine.Groups = groups;
    }
}
