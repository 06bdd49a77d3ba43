namespace GrpcShm.EventBus.Registry;

/// <summary>The members of a group. They are changed under the registry's lock, and read without it.</summary>
internal sealed class MachineGroup
{
    private readonly HashSet<MachineEntry> _members = [];
    private MachineEntry[]? _snapshot;

    /// <summary>
    /// The members at one moment, in no order. It is made when a caller asks for it, so that joining a large group
    /// stays cheap.
    /// </summary>
    public MachineEntry[] Snapshot
    {
        get
        {
            if (Volatile.Read(ref _snapshot) is { } snapshot)
            {
                return snapshot;
            }

            lock (_members)
            {
                return _snapshot ??= [.. _members];
            }
        }
    }

    public void Add(MachineEntry machine)
    {
        lock (_members)
        {
            _members.Add(machine);
            _snapshot = null;
        }
    }

    /// <summary>Removes a member.</summary>
    /// <returns>How many are left.</returns>
    public int Remove(MachineEntry machine)
    {
        lock (_members)
        {
            _members.Remove(machine);
            _snapshot = null;
            return _members.Count;
        }
    }
}
