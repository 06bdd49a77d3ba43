using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using GrpcShm.EventBus.Forwarding;

namespace GrpcShm.EventBus.Registry;

/// <summary>The registered machines by id, and the members of each group.</summary>
/// <remarks>
/// It is read without a lock, and changed under the registry's lock. So the members of a group are replaced as a whole,
/// too.
/// </remarks>
internal sealed class MachineTable
{
    // Most ids are shorter.
    private const int MostCharacters = 64;

    private readonly ConcurrentDictionary<string, MachineEntry> _machines = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, MachineGroup> _groups = new(StringComparer.Ordinal);
    private int _count;

    public int Count => Volatile.Read(ref _count);

    /// <summary>All machines, in no order.</summary>
    public IEnumerable<MachineEntry> All => _machines.Select(pair => pair.Value);

    public bool TryGet(string machineId, [NotNullWhen(true)] out MachineEntry? machine) =>
        _machines.TryGetValue(machineId, out machine);

    /// <summary>Finds the machine that an event names. For most events no string is made of the name.</summary>
    public bool TryGet(RoutedEvent @event, EventPart part, [NotNullWhen(true)] out MachineEntry? machine)
    {
        Span<char> id = stackalloc char[MostCharacters];
        if (!@event.TryDecode(part, id, out var length))
        {
            return TryGet(@event.Text(part), out machine);
        }

        var isThere = _machines.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(id[..length], out machine);
        if (isThere)
        {
            @event.Remember(part, machine!.Id);
        }

        return isThere;
    }

    public MachineEntry[] InGroup(string group) => _groups.TryGetValue(group, out var members) ? members.Snapshot : [];

    public void Add(MachineEntry machine, string[] groups)
    {
        // Its groups first: a reader that finds it by its id finds it in them.
        ChangeGroups(machine, groups);
        _machines[machine.Id] = machine;
        _count++;
    }

    public void Remove(MachineEntry machine)
    {
        _machines.TryRemove(machine.Id, out _);
        ChangeGroups(machine, []);
        _count--;
    }

    public void ChangeGroups(MachineEntry machine, string[] groups)
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

        (machine.Groups, machine.GroupsWeight) = (groups, MachineWeight.Of(groups));
    }
}
