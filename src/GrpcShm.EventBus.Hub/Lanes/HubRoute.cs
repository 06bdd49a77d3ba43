using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Lanes;

/// <summary>A route, from its grant until both ends are done with it. The lane table guards what changes.</summary>
/// <param name="number">Its number, which no other route of this hub has or has had.</param>
/// <param name="lane">The lane that it runs over.</param>
/// <param name="source">The registration of the machine that sends.</param>
/// <param name="target">The registration of the machine that the events are for.</param>
/// <param name="inbox">The subscription to the target's inbox.</param>
/// <param name="sourceEnd">The session that has the source.</param>
/// <param name="targetEnd">The session that has the target.</param>
internal sealed class HubRoute(
    uint number,
    HubLane lane,
    MachineEntry source,
    MachineEntry target,
    Subscriber inbox,
    SessionLanes sourceEnd,
    SessionLanes targetEnd)
{
    private volatile bool _isWithdrawn;

    public uint Number { get; } = number;

    public HubLane Lane { get; } = lane;

    public MachineEntry Source { get; } = source;

    public MachineEntry Target { get; } = target;

    public Subscriber Inbox { get; } = inbox;

    public SessionLanes SourceEnd { get; } = sourceEnd;

    public SessionLanes TargetEnd { get; } = targetEnd;

    /// <summary>True if it has ended. Writers look at it without the table's lock.</summary>
    public bool IsWithdrawn
    {
        get => _isWithdrawn;
        set => _isWithdrawn = value;
    }

    /// <summary>True if its source will report no further events, or its session has ended.</summary>
    public bool IsSourceDone { get; set; }

    /// <summary>True if its target takes no further event of it, or its session has ended.</summary>
    public bool IsTargetDone { get; set; }

    /// <summary>The last fence that its source asked for; none if it asked for none.</summary>
    public PendingAcknowledgement? Fence { get; set; }

    /// <summary>The callers that wait until its target is done; none if there was none.</summary>
    public List<RouteSilence>? Waiting { get; set; }
}
