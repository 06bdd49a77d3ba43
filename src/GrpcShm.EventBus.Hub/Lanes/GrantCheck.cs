using Grpc.Core;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>Checks whether a route may be granted, under the lane table's lock. It changes nothing.</summary>
internal static class GrantCheck
{
    /// <summary>Checks the two machines and their sessions.</summary>
    /// <param name="asking">The session that asks.</param>
    /// <param name="source">The machine that sends.</param>
    /// <param name="target">The machine that the events are for.</param>
    /// <param name="mayShareProcess">Whether both sessions may belong to one process.</param>
    /// <param name="inbox">The subscription to the target's inbox.</param>
    /// <param name="peer">The session that has the target.</param>
    public static GrantAnswer Check(
        SessionLanes asking,
        MachineEntry source,
        MachineEntry target,
        bool mayShareProcess,
        out Subscriber? inbox,
        out SessionLanes? peer)
    {
        inbox = target.Inbox;
        peer = target.Owner.Lanes;
        if (source.IsGone || asking.HasEnded)
        {
            return Later(Verdict.NotFound(source.Id));
        }

        if (source.Owner != asking.Owner)
        {
            return Never(source.Id, $"The machine '{source.Id}' does not belong to this session.");
        }

        if (target.IsGone)
        {
            return Later(Verdict.NotFound(target.Id));
        }

        if (target.Owner.IsLease || inbox is null || inbox.IsClosed)
        {
            return Later(Precondition(target.Id, $"The inbox of the machine '{target.Id}' is not subscribed."));
        }

        if (peer is null || inbox.Outbox != peer.Outbox)
        {
            return Never(target.Id, $"The process of the machine '{target.Id}' takes no lanes.");
        }

        return peer.HasEnded ? Later(Verdict.NotFound(target.Id)) : CheckSessions(asking, peer, inbox, mayShareProcess);
    }

    /// <summary>Makes the refusal for a reason that may pass.</summary>
    public static GrantAnswer Later(in Verdict verdict) => new(verdict, MayAskAgain: true);

    /// <summary>Makes the refusal for a reason that stays as long as both sessions last.</summary>
    public static GrantAnswer Never(string machineId, string message) => new(Precondition(machineId, message));

    /// <summary>Makes the verdict that something is not as it must be.</summary>
    public static Verdict Precondition(string machineId, string message) =>
        new(StatusCode.FailedPrecondition, message, machineId);

    private static GrantAnswer CheckSessions(
        SessionLanes asking, SessionLanes peer, Subscriber inbox, bool mayShareProcess)
    {
        var target = inbox.InboxOf;
        if (peer == asking)
        {
            return Never(target, $"The machine '{target}' belongs to the same session.");
        }

        if (inbox.Mailbox.Policy != OverflowPolicy.Block)
        {
            return Never(target, $"The mailbox of the machine '{target}' has another policy than BLOCK.");
        }

        // Where the users are not known, nobody can say that they are the same.
        if (asking.Owner.Peer.UserId.Length == 0 || !asking.Owner.Peer.IsSameUserAs(peer.Owner.Peer))
        {
            return Never(target, $"The process of the machine '{target}' is not known to be of the same user.");
        }

        if (!mayShareProcess && MayBeSameProcess(asking.Owner, peer.Owner))
        {
            return Never(target, $"The machine '{target}' belongs to the same process.");
        }

        return asking.Address.Length == 0 && peer.Address.Length == 0
            ? Never(target, "Neither of the two processes listens for lanes.")
            : GrantAnswer.Granted;
    }

    private static bool MayBeSameProcess(MachineOwner one, MachineOwner other) =>
        one.Peer.IsSameProcessAs(other.Peer)
        || (one.InstanceId.Length > 0 && one.InstanceId == other.InstanceId);
}
