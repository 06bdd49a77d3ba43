using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Registry;

/// <summary>
/// Whoever's end is the end of its machines: a session, a subscription's call, a lease, the hub's own process.
/// </summary>
internal sealed class MachineOwner(
    PeerIdentity peer, SessionBudget budget, string instanceId, string name, bool isLease)
{
    // Guarded by the registry's lock.
    public HashSet<MachineEntry> Machines { get; } = [];

    /// <summary>Who made it.</summary>
    public PeerIdentity Peer { get; } = peer;

    /// <summary>How much of the hub it may use.</summary>
    public SessionBudget Budget { get; } = budget;

    /// <summary>Identifies the process; empty if it did not say.</summary>
    public string InstanceId { get; set; } = instanceId;

    /// <summary>A name for people to read.</summary>
    public string Name { get; set; } = name;

    /// <summary>
    /// Whether it is only a promise to subscribe soon: a subscription of the same process takes it over.
    /// </summary>
    public bool IsLease { get; } = isLease;

    // Guarded by the registry's lock. What watchers are told of its machines that are still to be removed.
    public (MachineChangeKind Kind, string Reason)? Ending { get; set; }

    /// <summary>
    /// Whether it is what the other one says it is: the instance's name alone travels in clear and is worth nothing
    /// from another user, or from another process where the transport knows that. A lease may be taken for another
    /// process.
    /// </summary>
    public bool IsSameProcessAs(MachineOwner other) =>
        ReferenceEquals(this, other)
        || (InstanceId.Length > 0 && InstanceId == other.InstanceId
            && (IsLease || other.IsLease ? Peer.IsSameUserAs(other.Peer) : !Peer.IsOtherProcessThan(other.Peer)));
}
