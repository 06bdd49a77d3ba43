using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>One route at its target: the events of one machine of another process for one of this client.</summary>
/// <param name="grant">The hub's grant.</param>
/// <param name="lane">The lane.</param>
/// <param name="receiver">The machine.</param>
internal sealed class TargetRoute(RouteGrant grant, ClientLane lane, EventReceiver receiver) : IEventOrigin
{
    public uint Number => grant.Route;

    public string Source => grant.Source;

    public string Target => grant.Target;

    /// <summary>The number of the sender in the events, as the hub would put it in.</summary>
    public ulong Stamp => grant.Sender;

    /// <summary>The most bytes that an event may have, encoded.</summary>
    public uint MaxEventSize => grant.MaxEventSize;

    public ClientLane Lane => lane;

    public EventReceiver Receiver => receiver;

    public HubLimits Limits => lane.Session.Limits;

    /// <summary>True if no event of it is taken any more. The lock of the receiver guards it.</summary>
    public bool IsOver { get; set; }

    /// <summary>Which part of the receiver's window it has. The lock of the receiver guards it.</summary>
    public int Share { get; set; }

    /// <summary>What its share is to get besides, from the hub's. The lock of the receiver guards it.</summary>
    public long Owed { get; set; }

    /// <summary>How many events the other side may still write. The lock of the receiver guards it.</summary>
    public int Granted { get; set; }

    /// <summary>How many of its events have not been handled. The lock of the receiver guards it.</summary>
    public int Unhandled { get; set; }

    /// <summary>Tells the other side how a handler ended.</summary>
    public void Acknowledge(Acknowledgement acknowledgement) => lane.Link?.Answer(acknowledgement);

    /// <summary>Tells the other side of room.</summary>
    public void GiveCredit(Credit credit) => lane.GiveCredit(credit);
}
