using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Lanes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Registry;

/// <summary>
/// The owner of machines, which end when it ends: a session, a call that subscribes, a lease, or the hub's own process.
/// </summary>
internal sealed class MachineOwner(
    PeerIdentity peer, SessionBudget budget, string instanceId, string name, bool isLease)
{
    private volatile SessionLanes? _lanes;

    // Guarded by the registry's lock.
    public HashSet<MachineEntry> Machines { get; } = [];

    /// <summary>The caller that made it.</summary>
    public PeerIdentity Peer { get; } = peer;

    /// <summary>How much of the hub it may use.</summary>
    public SessionBudget Budget { get; } = budget;

    /// <summary>Identifies the process; empty if the process named no instance.</summary>
    public string InstanceId { get; set; } = instanceId;

    /// <summary>A name for people to read.</summary>
    public string Name { get; set; } = name;

    /// <summary>
    /// True if it is only a promise to subscribe soon. A subscription of the same process takes it over.
    /// </summary>
    public bool IsLease { get; } = isLease;

    /// <summary>The lanes of its session; none if it is no session, or one that takes no lanes.</summary>
    public SessionLanes? Lanes
    {
        get => _lanes;
        set => _lanes = value;
    }

    // Guarded by the registry's lock. The change of which watchers are told for its machines that are still there.
    public (MachineChangeKind Kind, string Reason)? Ending { get; set; }

    // Guarded by the registry's lock.
    public GoneMachines Gone { get; } = new();

    /// <summary>
    /// True if both are the same process. The instance's name alone does not prove that: it travels in clear, and
    /// counts only for the same user and, where the transport knows the process, for the same process. A lease may be
    /// taken for another process.
    /// </summary>
    public bool IsSameProcessAs(MachineOwner other) =>
        ReferenceEquals(this, other)
        || (InstanceId.Length > 0 && InstanceId == other.InstanceId
            && (IsLease || other.IsLease ? Peer.IsSameUserAs(other.Peer) : !Peer.IsOtherProcessThan(other.Peer)));
}
