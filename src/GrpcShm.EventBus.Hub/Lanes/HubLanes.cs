using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>All lanes and routes of the hub.</summary>
/// <remarks>
/// One lock guards all of it. Under it only notices are queued and tasks are completed whose continuations run
/// elsewhere; writers are woken by the caller's <see cref="RoutingContext"/> afterwards. It is never taken under
/// another lock of the hub. Whoever changes what a route depends on (a registration, an inbox, an observer, a session)
/// makes the change first and withdraws routes here second. A grant looks at all of these under the lock. So either the
/// grant sees the change, or the withdrawal sees the route.
/// </remarks>
/// <param name="options">The bounds.</param>
/// <param name="observers">The subscriptions that are no inboxes.</param>
internal sealed class HubLanes(EventBusOptions options, ObserverTable observers)
{
    private const int TokenSize = 16;

    // For so many waits for room a client's earlier commands may keep its confirmation from being read.
    private const int LongestInHand = 6;

    private readonly Lock _lock = new();
    private readonly HubRouteIndex _routes = new();
    private ulong _lastLane;
    private uint _lastRoute;
    private int _lanes;

    /// <summary>The time in milliseconds, from any beginning.</summary>
    public Func<long> Clock { get; set; } = static () => Environment.TickCount64;

    /// <summary>How many lanes there are. One that could not be connected is none.</summary>
    public int Lanes => Volatile.Read(ref _lanes);

    /// <summary>How many routes are granted and not withdrawn.</summary>
    public int Routes => _routes.Granted;

    /// <summary>How many routes there are, with those that are withdrawn and that an end is not done with.</summary>
    public int AllRoutes => _routes.Count;

    /// <summary>Grants a route, or says why not. With the grant both sessions have their notices.</summary>
    /// <param name="asking">The session that asks.</param>
    /// <param name="source">The machine that sends.</param>
    /// <param name="target">The machine that the events are for.</param>
    /// <param name="sender">The number that the hub puts into the events of that session.</param>
    /// <param name="context">The writers to wake.</param>
    public GrantAnswer Grant(
        SessionLanes asking, MachineEntry source, MachineEntry target, ulong sender, RoutingContext context)
    {
        lock (_lock)
        {
            var answer = GrantCheck.Check(
                asking, source, target, options.GrantsRoutesWithinProcess, out var inbox, out var peer);
            answer = answer.Verdict.IsOk ? CheckRoom(asking, peer!, source, target) : answer;
            if (!answer.Verdict.IsOk)
            {
                return answer;
            }

            var lane = asking.LaneTo(peer!) is { HasFailed: false } known ? known : Introduce(asking, peer!);
            var route = new HubRoute(++_lastRoute, lane, source, target, inbox!, asking, peer!);
            _routes.Add(route);
            asking.Routes.Add(route);
            peer!.Routes.Add(route);

            // The target's process must be able to know the route when the source's process uses it.
            peer.Notices.Add(new LaneNotice { Grant = Describe(route, sender, isTarget: true) });
            asking.Notices.Add(new LaneNotice { Grant = Describe(route, sender, isTarget: false) });
            context.AddTouched(peer.Outbox);
            context.AddTouched(asking.Outbox);
            return GrantAnswer.Granted;
        }
    }

    /// <summary>Notes the fence of a route, for which its source may ask, one at a time.</summary>
    /// <param name="asking">The session that asks.</param>
    /// <param name="number">The route.</param>
    /// <param name="route">The route, into whose inbox the fence is to be put.</param>
    /// <param name="pending">The wait for the fence. It fails when the route is withdrawn.</param>
    public Verdict BeginFence(
        SessionLanes asking, uint number, out HubRoute? route, out PendingAcknowledgement? pending)
    {
        pending = null;
        lock (_lock)
        {
            if (!TryFind(asking, number, out route) || route.SourceEnd != asking || route.IsWithdrawn)
            {
                return GrantCheck.Precondition(
                    "", $"The session has no route {number} as its source, or the route was withdrawn.");
            }

            if (route.Fence is { IsDone: false })
            {
                return GrantCheck.Precondition(
                    route.Target.Id, $"The route {number} has a fence that is not answered.");
            }

            pending = new PendingAcknowledgement(route.Target.Id, AcknowledgementLevel.Delivered);
            route.Fence = pending;
            return Verdict.Ok;
        }
    }

    /// <summary>True if a session has a route as its source, and has not closed it.</summary>
    public bool IsSource(SessionLanes session, uint number)
    {
        lock (_lock)
        {
            return TryFind(session, number, out var route) && route.SourceEnd == session;
        }
    }

    /// <summary>Notes that one end of a route is done with it.</summary>
    /// <returns>True if the session is the route's source, whose report counts.</returns>
    public bool Close(SessionLanes end, uint number, RoutingContext context)
    {
        lock (_lock)
        {
            if (!TryFind(end, number, out var route))
            {
                return false;
            }

            var isSource = end == route.SourceEnd;
            Withdraw(route, isSource ? "Its source gave it up." : "Its target gave it up.", context, teller: end);
            NoteDone(route, end);
            return isSource;
        }
    }

    /// <summary>Notes that a lane could not be connected, or has broken.</summary>
    /// <param name="end">The session that says so.</param>
    /// <param name="number">The lane. One of other sessions is ignored.</param>
    /// <param name="hadStood">Whether the lane stood before.</param>
    /// <param name="context">The writers to wake.</param>
    public void Fail(SessionLanes end, ulong number, bool hadStood, RoutingContext context)
    {
        lock (_lock)
        {
            if (end.LaneOf(number) is not { HasFailed: false } lane)
            {
                return;
            }

            foreach (var route in end.Routes.Where(route => route.Lane == lane))
            {
                Withdraw(route, "Its lane has ended.", context);
            }

            // The other end is told of the routes' end, and finds by itself that the lane is gone.
            _lanes--;
            if (!hadStood)
            {
                lane.Fail(Clock());
            }
            else
            {
                var other = lane.Other(end);
                end.Lanes.Remove(other);
                other.Lanes.Remove(end);
            }
        }
    }

    /// <summary>Withdraws the routes of a machine that is not registered any more.</summary>
    public void WithdrawMachine(MachineEntry machine, RoutingContext context)
    {
        lock (_lock)
        {
            foreach (var route in _routes.Of(machine.Id))
            {
                if (route.Source == machine || route.Target == machine)
                {
                    Withdraw(route, "A machine of it is not registered any more.", context);
                }
            }
        }
    }

    /// <summary>Withdraws the routes to an inbox whose subscription has ended.</summary>
    public void WithdrawInbox(Subscriber inbox, RoutingContext context)
    {
        lock (_lock)
        {
            foreach (var route in _routes.Of(inbox.InboxOf))
            {
                if (route.Inbox == inbox)
                {
                    Withdraw(route, "The subscription to its target's inbox has ended.", context);
                }
            }
        }
    }

    /// <summary>Withdraws the routes that a new observer could match. The observer is in its table already.</summary>
    /// <param name="observer">The observer.</param>
    /// <param name="context">The writers to wake.</param>
    /// <param name="silence">
    /// The wait until the targets of the routes have confirmed; none if there is nothing to wait for.
    /// </param>
    /// <returns>A failure if the observers of one session wait for too many routes already.</returns>
    public Verdict WithdrawObserved(Observer observer, RoutingContext context, out RouteSilence? silence)
    {
        var filter = observer.Filter;
        silence = null;
        if (!filter.MayMatchSends)
        {
            return Verdict.Ok;
        }

        lock (_lock)
        {
            foreach (var route in _routes.For(filter))
            {
                // A route that was withdrawn before counts, too, until its target has confirmed.
                if (!route.IsTargetDone && filter.MayMatchSend(route.Source.Id, route.Target.Id))
                {
                    Withdraw(route, "Its events are observed.", context);
                    silence ??= new RouteSilence(this, observer.Budget.RouteWaits);
                    if (silence.TryAdd(route) is { } full)
                    {
                        silence.Clear();
                        silence = null;
                        return full.Exhausted("The routes that observers wait for have reached");
                    }
                }
            }

            return Verdict.Ok;
        }
    }

    /// <summary>Ends a session's lanes and routes. It gets no further ones.</summary>
    public void End(SessionLanes session, RoutingContext context)
    {
        lock (_lock)
        {
            session.HasEnded = true;
            foreach (var route in session.Routes.ToArray())
            {
                Withdraw(route, "A session of it has ended.", context, teller: session);
                NoteDone(route, session);
            }

            foreach (var (other, lane) in session.Lanes)
            {
                other.Lanes.Remove(session);
                _lanes -= lane.HasFailed ? 0 : 1;
            }

            session.Lanes.Clear();
        }
    }

    /// <summary>Lets a caller wait no longer for the targets of routes.</summary>
    public void GiveUp(RouteSilence silence)
    {
        lock (_lock)
        {
            silence.Clear();
        }
    }

    /// <summary>
    /// Ends the sessions whose clients have not confirmed in time. When it returns, their machines are not registered.
    /// A session that is busy with its client's earlier commands has more time, but not without an end.
    /// </summary>
    /// <returns>When to look again; zero if nobody is left to wait for.</returns>
    public TimeSpan EndSilent(RouteSilence silence, TimeSpan timeout)
    {
        List<HubRoute> silent;
        TimeSpan next;
        lock (_lock)
        {
            silent = silence.TakeSilent(timeout, timeout + (LongestInHand * options.MaxBlockTime), out next);
        }

        // A session's end takes other locks, and this one.
        foreach (var route in silent.DistinctBy(static route => route.TargetEnd))
        {
            route.TargetEnd.EndSession(new Verdict(
                StatusCode.Unavailable,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The process of the machine '{route.Target.Id}' gets events past the hub, and has not confirmed "
                        + $"within {timeout.TotalSeconds} s that it takes no more of them."),
                route.Target.Id));
        }

        return next;
    }

    // A session knows neither the routes of others, nor those that it is done with.
    private bool TryFind(SessionLanes session, uint number, [NotNullWhen(true)] out HubRoute? route) =>
        _routes.TryGet(number, out route) && session.Routes.Contains(route);

    private GrantAnswer CheckRoom(
        SessionLanes asking, SessionLanes peer, MachineEntry source, MachineEntry target)
    {
        if (_routes.HasGranted(source, target))
        {
            return GrantCheck.Later(GrantCheck.Precondition(
                target.Id, $"There is a route from '{source.Id}' to '{target.Id}' already."));
        }

        var lane = asking.LaneTo(peer);
        if (lane is { HasFailed: true } && Clock() < lane.RestsUntil)
        {
            return GrantCheck.Later(GrantCheck.Precondition(
                target.Id, "The lane to this process could not be connected a while ago."));
        }

        if (lane is not { HasFailed: false }
            && Math.Max(asking.StandingLanes, peer.StandingLanes) >= options.MaxLanesPerSession)
        {
            return Full(target, "lanes", options.MaxLanesPerSession, nameof(options.MaxLanesPerSession));
        }

        if (Math.Max(asking.Routes.Count, peer.Routes.Count) >= options.MaxRoutesPerSession)
        {
            return Full(target, "routes", options.MaxRoutesPerSession, nameof(options.MaxRoutesPerSession));
        }

        if (_routes.Count >= options.MaxRoutes)
        {
            return Full(target, "routes", options.MaxRoutes, nameof(options.MaxRoutes));
        }

        if (asking.Notices.IsFull || peer.Notices.IsFull)
        {
            return GrantCheck.Later(Verdict.Exhausted("A client has too many notices about lanes to read."));
        }

        if (_lastRoute == uint.MaxValue)
        {
            return new GrantAnswer(Verdict.Exhausted("The hub has no numbers for routes left until it starts again."));
        }

        return observers.MayObserve(source.Id, target.Id)
            ? GrantCheck.Later(GrantCheck.Precondition(
                target.Id, $"Events from '{source.Id}' to '{target.Id}' may be observed."))
            : GrantAnswer.Granted;
    }

    private static GrantAnswer Full(MachineEntry target, string what, int most, string option) =>
        GrantCheck.Later(new Verdict(
            StatusCode.ResourceExhausted,
            string.Create(
                CultureInfo.InvariantCulture, $"There are as many {what} as there may be: {most} ({option})."),
            target.Id));

    // The session that has the target accepts, if it listens.
    private HubLane Introduce(SessionLanes asking, SessionLanes peer)
    {
        var lane = new HubLane(++_lastLane, asking, peer, asking.LaneTo(peer)?.Failures ?? 0);
        asking.Lanes[peer] = lane;
        peer.Lanes[asking] = lane;
        _lanes++;
        var (acceptor, connector) = peer.Address.Length > 0 ? (peer, asking) : (asking, peer);
        var token = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(TokenSize));
        acceptor.Notices.Add(new LaneNotice
        {
            Introduction = new LaneIntroduction { Lane = lane.Number, Token = token },
        });
        connector.Notices.Add(new LaneNotice
        {
            Introduction = new LaneIntroduction { Lane = lane.Number, Token = token, Address = acceptor.Address },
        });
        return lane;
    }

    private RouteGrant Describe(HubRoute route, ulong sender, bool isTarget) => new()
    {
        Lane = route.Lane.Number,
        Route = route.Number,
        Source = route.Source.Id,
        Target = route.Target.Id,
        IsTarget = isTarget,
        Sender = sender,
        WaitMilliseconds = (uint)options.MaxBlockTime.TotalMilliseconds,
        MaxEventSize = (uint)options.MaxEventSize,
    };

    // Tells both ends, except an end that is done, and the one that says it itself.
    private void Withdraw(HubRoute route, string reason, RoutingContext context, SessionLanes? teller = null)
    {
        if (route.IsWithdrawn)
        {
            return;
        }

        route.IsWithdrawn = true;
        _routes.NoteWithdrawn(route);
        route.Fence?.Fail(GrantCheck.Precondition(route.Target.Id, $"The route was withdrawn. {reason}"));
        var withdrawal = new RouteWithdrawal { Route = route.Number, Reason = reason };
        Tell(route.TargetEnd);
        Tell(route.SourceEnd);

        void Tell(SessionLanes end)
        {
            if (end != teller && !end.HasEnded)
            {
                end.Notices.Add(new LaneNotice { Withdrawal = withdrawal });
                context.AddTouched(end.Outbox);
            }
        }
    }

    private void NoteDone(HubRoute route, SessionLanes end)
    {
        end.Routes.Remove(route);
        if (end == route.SourceEnd)
        {
            route.IsSourceDone = true;
        }
        else if (!route.IsTargetDone)
        {
            route.IsTargetDone = true;
            foreach (var waiting in route.Waiting ?? [])
            {
                waiting.NoteDone(route);
            }

            route.Waiting = null;
        }

        if (route is { IsSourceDone: true, IsTargetDone: true })
        {
            _routes.Remove(route);
        }
    }
}
