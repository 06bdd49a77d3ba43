namespace GrpcShm.EventBus.Registry;

/// <summary>The members of a group. Changed under the registry's lock, read without.</summary>
internal sealed class MachineGroup
{
    private readonly HashSet<MachineEntry> _members = [];
    private MachineEntry[]? _snapshot;

    /// <summary>
    /// The members at one moment, in no order; made when asked for, so that joining a large group stays cheap.
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
