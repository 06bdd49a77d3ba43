using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>One session's lanes and routes, and its commands about them, which its one reader gives.</summary>
/// <param name="hub">The hub.</param>
/// <param name="owner">The owner of the session's machines.</param>
/// <param name="origin">The origin of the session's events.</param>
/// <param name="outbox">Wakes the session's writer.</param>
/// <param name="notices">The notices for the session's client.</param>
/// <param name="sends">Answers fences.</param>
/// <param name="life">Ends the session.</param>
internal sealed class SessionLanes(
    HubCore hub,
    MachineOwner owner,
    SessionOrigin origin,
    Outbox outbox,
    OutgoingNotices notices,
    SessionSends sends,
    SessionLife life)
{
    // A client reports far more often. So no report brings the hub's counts near their end.
    private const ulong MostReported = 1 << 20;

    private readonly HubLanes _table = hub.Lanes;

    public MachineOwner Owner { get; } = owner;

    public Outbox Outbox { get; } = outbox;

    public OutgoingNotices Notices { get; } = notices;

    /// <summary>How long the session has waited for its client.</summary>
    public ReaderIdleness Idleness { get; } = new();

    /// <summary>Where its process listens; empty if it does not. Set before others find the session.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The lanes by the session at the other end. The lane table's lock guards it.</summary>
    public Dictionary<SessionLanes, HubLane> Lanes { get; } = [];

    /// <summary>How many lanes it has that could be connected so far. Under the lane table's lock.</summary>
    public int StandingLanes => Lanes.Values.Count(static lane => !lane.HasFailed);

    /// <summary>The routes that it is not done with. The lane table's lock guards it.</summary>
    public HashSet<HubRoute> Routes { get; } = [];

    /// <summary>True if it gets no further route. The lane table's lock guards it.</summary>
    public bool HasEnded { get; set; }

    /// <summary>The lane to another session. Under the lane table's lock.</summary>
    public HubLane? LaneTo(SessionLanes other) => Lanes.GetValueOrDefault(other);

    /// <summary>The lane of a number. Under the lane table's lock.</summary>
    public HubLane? LaneOf(ulong number) => Lanes.Values.FirstOrDefault(lane => lane.Number == number);

    /// <summary>Takes what the client says of lanes when it opens the session. It has been checked.</summary>
    public void Open(OpenSession open)
    {
        if (open.TakesLanes)
        {
            Address = open.LaneAddress;
            Owner.Lanes = this;
        }
    }

    /// <summary>Grants a route, or says why not.</summary>
    /// <param name="request">The two machines.</param>
    /// <param name="context">The writers to wake.</param>
    /// <param name="outcome">Gets whether the client may ask again.</param>
    public Verdict Request(RouteRequest request, RoutingContext context, Outcome outcome)
    {
        var answer = Check(request, out var source, out var target);
        answer = answer.Verdict.IsOk
            ? _table.Grant(this, source!, target!, origin.Stamp(request.Sender), context)
            : answer;
        outcome.MayAskAgain = answer.MayAskAgain;
        return answer.Verdict;
    }

    /// <summary>Puts a fence into the inbox of a route's target, whose acknowledgement answers the command.</summary>
    public Verdict Fence(in HubCommand command, RoutingContext context)
    {
        var verdict = sends.BeginWait(command.Number);
        if (!verdict.IsOk)
        {
            return verdict;
        }

        verdict = _table.BeginFence(this, command.Other.Fence.Route, out var route, out var pending);
        if (verdict.IsOk)
        {
            verdict = route!.Inbox.PutFence(new FenceMark(route), pending!, context);
        }

        if (verdict.IsOk)
        {
            sends.AnswerLater(command, pending!);
        }
        else
        {
            pending?.Fail(verdict);
            sends.EndWait();
        }

        return verdict;
    }

    /// <summary>Notes that the client is done with a route.</summary>
    public Verdict Close(RouteClosed closed, RoutingContext context) =>
        _table.Close(this, closed.Route, context) ? Count(closed.Events) : Verdict.Ok;

    /// <summary>Counts events that went past the hub.</summary>
    public Verdict Report(RouteReport report) =>
        _table.IsSource(this, report.Route) ? Count(report.Events) : Verdict.Ok;

    /// <summary>Notes that a lane of the session is gone.</summary>
    public void Fail(LaneFailure failure, RoutingContext context) =>
        _table.Fail(this, failure.Lane, failure.HadStood, context);

    /// <summary>Ends the session whose lanes these are. Its machines are unregistered when this returns.</summary>
    public void EndSession(Verdict verdict) => life.End(verdict);

    /// <summary>Ends all of it. The reader may still be in the middle of a command.</summary>
    public void Release()
    {
        var context = new RoutingContext();
        _table.End(this, context);
        context.SignalAll();
    }

    private Verdict Count(ulong events)
    {
        if (events > MostReported)
        {
            return Verdict.Invalid($"A report of more than {MostReported} events is not credible. Report more often.");
        }

        hub.Metrics.CountReported((int)events);
        return Verdict.Ok;
    }

    private GrantAnswer Check(RouteRequest request, out MachineEntry? source, out MachineEntry? target)
    {
        (source, target) = (null, null);
        if (!hub.OffersLanes)
        {
            return new GrantAnswer(new Verdict(Grpc.Core.StatusCode.Unimplemented, "This hub offers no lanes.", ""));
        }

        if (Owner.Lanes != this)
        {
            return GrantCheck.Never("", "The session does not take lanes (takes_lanes).");
        }

        var verdict = hub.Limits.CheckId(request.Source, "source of the route");
        verdict = verdict.IsOk ? hub.Limits.CheckId(request.Target, "target of the route") : verdict;
        if (!verdict.IsOk)
        {
            return new GrantAnswer(verdict);
        }

        if (!hub.Machines.TryGet(request.Source, out source))
        {
            return GrantCheck.Later(Verdict.NotFound(request.Source));
        }

        return hub.Machines.TryGet(request.Target, out target)
            ? GrantAnswer.Granted
            : GrantCheck.Later(Verdict.NotFound(request.Target));
    }
}
