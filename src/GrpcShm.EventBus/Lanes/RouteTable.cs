using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>
/// Decides for each event of a client whether it goes to the hub or over a lane, so that the events of one machine for
/// another arrive once, and in the order in which they were sent.
/// </summary>
/// <remarks>
/// The lock of the queue to the hub guards all of it: an event has its place in the queue or on its lane before its
/// send returns. What must not happen under the lock is noted in <see cref="Effects"/>. It knows no connection.
/// A pair's events change from the hub to a lane behind a fence, which reaches the target behind all that went to the
/// hub. They change back when all that went over the lane has reached the target's queue, or has come back.
/// </remarks>
/// <param name="hub">The queue to the hub.</param>
/// <param name="front">The queue for events that go to the hub in front of these.</param>
/// <param name="times">When to ask, and when to give up.</param>
/// <param name="mayAsk">Says whether a source is a machine of this client that stands.</param>
internal sealed partial class RouteTable(
    Queue<PendingCommand> hub, Queue<PendingCommand> front, LaneTimes times, Func<string, bool> mayAsk)
{
    // Reports to the hub after so many events.
    private const ulong EventsPerReport = 4096;

    // Pairs that are not counted any more are found again. A program with more pairs has few events for each.
    private const int MaxPairs = 4096;

    // So many events of a route are on the lane at most, whatever credit the other side gives. Further ones are held.
    private const int MaxTail = 4096;

    private readonly Dictionary<(string Source, string Target), RoutePair> _pairs = [];

    // All routes that were granted and have not ended.
    private readonly Dictionary<uint, SourceRoute> _routes = [];
    private RoutePair? _lastPair;
    private object? _session;
    private ulong _sender;
    private HubLimits _limits = HubLimits.Unknown;
    private bool _isLeaving;

    // When somebody looks at the time next.
    private long _due = long.MaxValue;

    /// <summary>What to do when the lock has been given back.</summary>
    public RouteEffects Effects { get; private set; } = new();

    /// <summary>The time in milliseconds, from any beginning.</summary>
    public Func<long> Clock { get; init; } = static () => Environment.TickCount64;

    /// <summary>Called with the outcome of a request; none for success.</summary>
    public Action<SourceRoute, Outcome?> RequestAnswered { get; init; } = static (_, _) => { };

    /// <summary>Called with the outcome of a fence; none for success.</summary>
    public Action<SourceRoute, Outcome?> FenceAnswered { get; init; } = static (_, _) => { };

    /// <summary>How many routes there are that were granted and have not ended.</summary>
    public int Count => _routes.Count;

    /// <summary>Takes what is left to do; none if nothing is.</summary>
    /// <param name="spare">Takes its place. Empty.</param>
    public RouteEffects TakeEffects(RouteEffects spare)
    {
        var effects = Effects;
        effects.Session = _session;
        Effects = spare;
        return effects;
    }

    /// <summary>Begins to ask for routes.</summary>
    /// <param name="session">The session, whose hub offers lanes.</param>
    /// <param name="sender">The number of this client in its events.</param>
    /// <param name="limits">The hub's limits, which hold for answers that come over lanes, too.</param>
    public void Begin(object session, ulong sender, HubLimits limits) =>
        (_session, _sender, _limits, _isLeaving) = (session, sender, limits, false);

    /// <summary>Finds the way of an event that was given its place in the order now.</summary>
    /// <returns>False if it is to be put into the queue to the hub.</returns>
    public bool TryPlace(PendingEvent @event)
    {
        if (_session is null)
        {
            return false;
        }

        if (@event.Publication is { } publication)
        {
            if (publication.AudienceCase != Publication.AudienceOneofCase.Observers)
            {
                Bar(@event, @event.Names.Source, Clock());
            }

            return false;
        }

        if (@event.Names.Source.Length == 0)
        {
            return false;
        }

        var pair = Find(@event.Names.Source, @event.Names.Target);
        if (pair.Route is not { } route)
        {
            if (@event.Waiting is null)
            {
                CountSend(pair, Clock());
            }

            return false;
        }

        switch (route.State)
        {
            case RouteState.Requested:
                return false;
            case RouteState.Open when IsForHub(route, @event):
                var now = Clock();
                PutOff(route.Pair, now);
                Drain(route, now);
                if (route.State == RouteState.Closed)
                {
                    return false;
                }

                break;
            case RouteState.Open when route.Held.Count == 0 && HasRoom(route):
                PutOnLane(route, @event);
                return true;
        }

        Hold(route, @event);
        return true;
    }

    /// <summary>
    /// Lets a command wait until the events that a machine sent before are answered: it must not overtake them.
    /// </summary>
    public void Bar(PendingCommand command, string source, long now)
    {
        QueueBarrier? barrier = null;
        var routes = _routes.Count == 0 ? [] : _routes.Values.Where(IsConcerned).ToArray();
        foreach (var route in routes)
        {
            if (route.State is RouteState.Open)
            {
                Drain(route, now);
            }
            else if (route.State is RouteState.Fencing)
            {
                // The fence is of no use any more: what it fences goes to the hub.
                Finish(route);
            }

            if (route.State is RouteState.Draining)
            {
                // Later events of the pair go into the queue, behind the command.
                barrier ??= new QueueBarrier();
                barrier.OpenRoutes++;
                route.Barrier = barrier;

                // Whoever publishes again and again would open and close routes in a circle.
                route.Pair.AskAgainAt = Math.Max(
                    route.Pair.AskAgainAt, now + Math.Min(times.AskWithin, times.AskAgainAfter));
                route.Pair.Route = null;
            }
        }

        command.Barrier = barrier;

        bool IsConcerned(SourceRoute route) => route.Pair.Source == source && route.Barrier is null;
    }

    /// <summary>Takes a grant of the hub.</summary>
    /// <param name="grant">The grant.</param>
    /// <param name="lane">Its lane, which has not ended.</param>
    /// <param name="session">The session in which it came. That of another session is not taken.</param>
    /// <param name="now">The time.</param>
    /// <returns>False if the grant cannot be used. The caller gives it up.</returns>
    public bool TryGrant(RouteGrant grant, LaneOutbox lane, object session, long now)
    {
        if (session != _session || _isLeaving
            || !_pairs.TryGetValue((grant.Source, grant.Target), out var pair)
            || pair.Route is not { State: RouteState.Requested, Number: 0 } route
            || lane.IsLeaving)
        {
            // The hub does not know yet that the lane ends. Success of the request comes next, and the pair asks again.
            return false;
        }

        (route.Number, route.Stamp, route.MaxEventSize) = (grant.Route, grant.Sender, grant.MaxEventSize);
        route.Lane = lane;
        lane.LastUse = now;
        _routes.Add(route.Number, route);
        LaneFaultPoint.Reach(LaneStep.Granted);
        if (lane.IsReady)
        {
            PutFence(route);
        }

        return true;
    }

    /// <summary>Notes that a lane stands.</summary>
    public void NoteReady(LaneOutbox lane, long now)
    {
        lane.IsReady = true;
        lane.LastUse = now;
        NoteDue(now + times.Idle);
        foreach (var route in RoutesOf(lane))
        {
            if (route.State == RouteState.Requested)
            {
                PutFence(route);
            }
        }
    }

    /// <summary>Takes the hub's answer to a request.</summary>
    public void NoteRequest(SourceRoute route, Outcome? outcome, long now)
    {
        if (route is not { State: RouteState.Requested, Number: 0 })
        {
            return;
        }

        route.State = RouteState.Closed;
        if (route.Pair.Route == route)
        {
            route.Pair.Route = null;
        }

        // A grant before success may be for a lane that had just ended here. The next one is for another lane.
        route.Pair.AskAgainAt = outcome is null or { StatusCode: 0 } or { MayAskAgain: true }
            ? now + times.AskAgainAfter
            : long.MaxValue;
    }

    /// <summary>Takes the hub's answer to a fence.</summary>
    public void NoteFence(SourceRoute route, bool succeeded, long now)
    {
        if (route.State != RouteState.Fencing)
        {
            return;
        }

        if (!succeeded)
        {
            GiveUp(route, now);
            return;
        }

        (route.State, route.UsedAt) = (RouteState.Open, now);
        NoteDue(now + times.Idle);
        LaneFaultPoint.Reach(LaneStep.Opened);
        Pump(route, now);
    }

    /// <summary>Takes a withdrawal of the hub.</summary>
    public void Withdraw(uint number, long now)
    {
        if (_routes.TryGetValue(number, out var route))
        {
            GiveUp(route, now);
        }
    }

    /// <summary>Takes room for further events of a route.</summary>
    /// <returns>False if the other side breaks the rules.</returns>
    public bool TryAddCredit(LaneOutbox lane, uint number, uint events, long now)
    {
        // A route that has ended here may still get credit.
        if (!_routes.TryGetValue(number, out var route))
        {
            return true;
        }

        if (route.Lane != lane || route.Credit + events > int.MaxValue)
        {
            return false;
        }

        route.Credit += events;
        if (route.State == RouteState.Open)
        {
            Pump(route, now);
        }

        return true;
    }

    private static bool HasRoom(SourceRoute route) => route is { Credit: > 0, Tail: < MaxTail };

    // Somebody looks at the time when the earliest of these has come, and notes the next ones. So most are not worth a
    // look at the clock.
    private void NoteDue(long due)
    {
        if (due < _due)
        {
            Effects.Due = _due = due;
        }
    }

    private SourceRoute[] RoutesOf(LaneOutbox lane) => [.. _routes.Values.Where(route => route.Lane == lane)];

    private RoutePair Find(string source, string target)
    {
        if (_lastPair is { } last && last.Target == target && last.Source == source)
        {
            return last;
        }

        if (!_pairs.TryGetValue((source, target), out var pair))
        {
            if (_pairs.Count >= MaxPairs)
            {
                Forget();
            }

            _pairs.Add((source, target), pair = new RoutePair(source, target));
        }

        return _lastPair = pair;
    }

    private void Forget()
    {
        var unused = _pairs.Where(static pair => pair.Value.Route is null).Select(static pair => pair.Key);
        foreach (var key in unused.ToList())
        {
            _pairs.Remove(key);
        }
    }

    private void CountSend(RoutePair pair, long now)
    {
        if (now < pair.AskAgainAt || _isLeaving)
        {
            return;
        }

        if (now - pair.CountedSince > times.AskWithin)
        {
            (pair.CountedSince, pair.Sends) = (now, 0);
        }

        if (++pair.Sends < times.AskAfterSends)
        {
            return;
        }

        pair.Sends = 0;
        if (!mayAsk(pair.Source))
        {
            return;
        }

        var route = new SourceRoute(pair);
        pair.Route = route;
        var request = new RouteRequest { Source = pair.Source, Target = pair.Target, Sender = _sender };
        Put(new SessionCommand { RequestRoute = request }, outcome => RequestAnswered(route, outcome));
    }

    private void PutFence(SourceRoute route)
    {
        route.State = RouteState.Fencing;
        var fence = new RouteFence { Route = route.Number };
        Put(new SessionCommand { Fence = fence }, outcome => FenceAnswered(route, outcome));
        LaneFaultPoint.Reach(LaneStep.FencePut);
    }

    private void Put(SessionCommand command, Action<Outcome?> answered)
    {
        hub.Enqueue(new PendingMessage(command) { OnlyIn = _session, Answered = answered });
        Effects.WakesHub = true;
    }

    private void Hold(SourceRoute route, PendingEvent @event)
    {
        if (route.Held.Count == 0)
        {
            route.HeldSince = Clock();
            NoteDue(route.HeldSince + times.LongestHold);
        }

        route.Held.Enqueue(@event);
        @event.HeldBy = route;
        Watch(@event);
    }

    private void Pump(SourceRoute route, long now)
    {
        while (HasRoom(route) && route.Held.TryDequeue(out var held))
        {
            held.HeldBy = null;
            if (IsForHub(route, held))
            {
                // It and those behind it go there.
                PutOff(route.Pair, now);
                Drain(route, now, held);
                return;
            }

            // Those behind it have waited for it.
            route.HeldSince = now;
            if (!held.IsOver)
            {
                PutOnLane(route, held);
            }
        }
    }

    private void PutOnLane(SourceRoute route, PendingEvent @event)
    {
        // The writer takes all that there is. It has been woken, or will be, if it has not taken the events before.
        var lane = route.Lane!;
        if (lane.Taken == lane.Last)
        {
            Effects.Wakes.Add(lane);
        }

        lane.Add(@event, route);
        route.LastNumber = lane.Last;
        route.Credit--;
        if (route.Tail++ == 0)
        {
            // The other side may stop at any time.
            (route.TailSince, route.TailMark) = (Clock(), lane.Last);
            NoteDue(route.TailSince + times.LongestDrain);
        }

        Watch(@event);
        LaneFaultPoint.Reach(LaneStep.EventPut);
    }

    // The hub would watch it.
    private void Watch(PendingEvent @event)
    {
        if (@event is { Deadline: > 0, IsWatchedHere: false })
        {
            @event.IsWatchedHere = true;
            Effects.Watched.Add(@event);
        }
    }
}
