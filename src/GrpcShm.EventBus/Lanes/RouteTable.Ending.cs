using Grpc.Core;
using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

// The ends of routes: their events go back to the hub, in order.
internal sealed partial class RouteTable
{
    /// <summary>Lets all routes end, and asks for no further ones in this session.</summary>
    public void Leave(long now)
    {
        _isLeaving = true;
        foreach (var pair in _pairs.Values)
        {
            if (pair.Route is { Number: 0 } requested)
            {
                requested.State = RouteState.Closed;
                pair.Route = null;
            }
        }

        foreach (var route in _routes.Values.ToArray())
        {
            GiveUp(route, now);
        }

        Effects.HasLeft |= _routes.Count == 0;
    }

    /// <summary>Lets all routes of a lane end.</summary>
    public void Leave(LaneOutbox lane, long now)
    {
        lane.IsLeaving = true;
        foreach (var route in RoutesOf(lane))
        {
            GiveUp(route, now);
        }
    }

    /// <summary>Ends all routes with their session. What was not answered goes to the next session's hub.</summary>
    /// <param name="lanes">All lanes of the session.</param>
    /// <param name="now">The time.</param>
    public void End(IEnumerable<LaneOutbox> lanes, long now)
    {
        foreach (var lane in lanes)
        {
            Break(lane, now);
        }

        // A lane may have been forgotten already whose route was granted a moment ago. The next hub may give the same
        // number to another route.
        foreach (var route in _routes.Values.ToArray())
        {
            Break(route.Lane!, now);
        }

        // There is no hub that could be told.
        Effects.Notes.Clear();
        _pairs.Clear();
        (_lastPair, _session) = (null, null);
    }

    /// <summary>
    /// Ends what went over a lane that has ended: its events go to the hub, in order. Those that may have been handled
    /// are known there by their numbers, except for requests, which fail.
    /// </summary>
    public void Break(LaneOutbox lane, long now)
    {
        var accepted = new List<LaneOutbox.Entry>();
        var tail = new List<(LaneOutbox.Entry Entry, bool WasTaken)>();
        lane.TakeAll(accepted, tail);
        foreach (var (@event, _, _) in accepted)
        {
            if (MayGoAgain(@event, wasTaken: true))
            {
                // In front of what was sent after it, as far as that has not gone to the hub already.
                PutToHub(@event, front.Enqueue);
                Effects.WakesHub = true;
            }
        }

        foreach (var ((@event, route, isAnswered), wasTaken) in tail)
        {
            if (!isAnswered && MayGoAgain(@event, wasTaken))
            {
                route.Returned.Add(@event);
            }
        }

        foreach (var route in RoutesOf(lane))
        {
            route.Tail = 0;
            PutOff(route.Pair, now);
            Finish(route);
        }

        if (!Effects.Broken.Contains(lane))
        {
            Effects.Broken.Add(lane);
        }
    }

    /// <summary>Ends an event that waits here or on a lane, and has not been answered.</summary>
    /// <returns>False if the hub has it, or is to get it, or it was answered.</returns>
    public static bool TryEnd(PendingEvent @event)
    {
        if (@event.IsOver || (@event.Lane is null && @event.HeldBy is null))
        {
            return false;
        }

        // Its place stays until that of the next one is settled. Nobody is told of it any more.
        @event.IsOver = true;
        @event.Lane?.TakeWaiting(@event.LaneNumber);
        return true;
    }

    /// <summary>Does what is due at a time, and notes when something is due next.</summary>
    /// <param name="now">The time.</param>
    /// <param name="isLate">
    /// Whether this process has been stopped for a while: then the other sides have not been late, or nobody knows it.
    /// </param>
    public void Expire(long now, bool isLate = false)
    {
        _due = long.MaxValue;
        if (isLate)
        {
            foreach (var route in _routes.Values)
            {
                (route.TailSince, route.DrainingSince, route.HeldSince) = (now, now, now);
            }
        }

        foreach (var route in _routes.Values.ToArray())
        {
            if (route.State is RouteState.Fencing or RouteState.Open && route.Held.Count > 0)
            {
                // A stream has many events that wait. It goes on as long as the target makes room for some of them.
                if (now - route.HeldSince >= times.LongestHold)
                {
                    // The target has no room for the lane, or not even for the fence. The hub judges what is held.
                    GiveUp(route, now);
                }
                else
                {
                    NoteDue(route.HeldSince + times.LongestHold);
                }
            }

            if (route is { State: RouteState.Open, Tail: 0, Held.Count: 0 })
            {
                if (now - route.UsedAt >= times.Idle)
                {
                    // Its share of the target's room is for others.
                    GiveUp(route, now);
                }
                else
                {
                    NoteDue(route.UsedAt + times.Idle);
                }
            }

            if (route is { State: RouteState.Open, Tail: > 0 })
            {
                if (now - route.TailSince >= times.LongestDrain)
                {
                    // The other process takes nothing. The hub takes it at once.
                    Break(route.Lane!, now);
                }
                else
                {
                    NoteDue(route.TailSince + times.LongestDrain);
                }
            }

            if (route.State is RouteState.Draining)
            {
                if (now - route.DrainingSince >= times.LongestDrain)
                {
                    Break(route.Lane!, now);
                }
                else
                {
                    NoteDue(route.DrainingSince + times.LongestDrain);
                }
            }
        }
    }

    /// <summary>Lets a lane end if nobody has used it for long, and notes when that is to be asked again.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="owes">Whether the other side waits for an answer of this side.</param>
    /// <param name="now">The time.</param>
    public void ExpireIdle(LaneOutbox lane, bool owes, long now)
    {
        if (!lane.IsReady || lane.IsLeaving)
        {
            return;
        }

        if (!lane.IsBusy && !owes && now - lane.LastUse >= times.Idle)
        {
            Leave(lane, now);
            Effects.Idle.Add(lane);
        }
        else
        {
            NoteDue(Math.Max(lane.LastUse + times.Idle, now + (times.Idle / 2)));
        }
    }

    private bool MayGoAgain(PendingEvent @event, bool wasTaken)
    {
        if (@event.IsOver)
        {
            return false;
        }

        if (wasTaken && !@event.MayRepeat)
        {
            @event.IsOver = true;
            Effects.Failed.Add((@event, new EventBusException(
                StatusCode.Unavailable,
                "The connection was lost before the reply came. The request may have been handled.",
                @event.SentTo)));
            return false;
        }

        @event.IsRepeated |= wasTaken;
        return true;
    }

    // Only the hub says why it does not take an event that is too large. And only the hub knows of all handlers that
    // wait, and when each has its answer: otherwise it would find circles where there are none.
    private static bool IsForHub(SourceRoute route, PendingEvent @event) =>
        @event.EventSize > route.MaxEventSize || @event.Waiting is not null;

    private void PutOff(RoutePair pair, long now) =>
        pair.AskAgainAt = Math.Max(pair.AskAgainAt, now + times.AskAgainAfter);

    private void GiveUp(SourceRoute route, long now)
    {
        PutOff(route.Pair, now);
        switch (route.State)
        {
            case RouteState.Open:
                Drain(route, now);
                break;
            case RouteState.Requested or RouteState.Fencing:
                Finish(route);
                break;
        }
    }

    private void BeginDraining(SourceRoute route, long now)
    {
        route.State = RouteState.Draining;
        route.DrainingSince = now;
        LaneFaultPoint.Reach(LaneStep.Draining);
        NoteDue(now + times.LongestDrain);
    }

    private void Drain(SourceRoute route, long now, PendingEvent? first = null)
    {
        BeginDraining(route, now);
        if (first is not null)
        {
            // In front of those that are held.
            PendingEvent[] held = [.. route.Held];
            route.Held.Clear();
            route.Held.Enqueue(first);
            first.HeldBy = route;
            foreach (var item in held)
            {
                route.Held.Enqueue(item);
            }
        }

        if (route.Tail == 0)
        {
            Finish(route);
        }
    }

    private void Shorten(SourceRoute route, ulong number, long now)
    {
        route.UsedAt = now;
        if (number >= route.TailMark)
        {
            // Not each answer: one now and then would keep thousands of events on the lane for hours.
            (route.TailSince, route.TailMark) = (now, route.LastNumber);
        }

        if (--route.Tail == 0 && route.State == RouteState.Draining)
        {
            Finish(route);
        }
        else if (route.State == RouteState.Open && route.Held.Count > 0)
        {
            Pump(route, now);
        }
    }

    private void Finish(SourceRoute route)
    {
        Action<PendingCommand> put = route.Barrier is { } barrier ? barrier.Before.Add : hub.Enqueue;
        route.State = RouteState.Closed;
        foreach (var @event in route.Returned)
        {
            PutToHub(@event, put);
        }

        while (route.Held.TryDequeue(out var held))
        {
            PutToHub(held, put);
        }

        route.Returned.Clear();
        _routes.Remove(route.Number);
        Effects.Notes.Add(new SessionCommand
        {
            CloseRoute = new RouteClosed { Route = route.Number, Events = route.Unreported },
        });
        if (route.Pair.Route == route)
        {
            route.Pair.Route = null;
        }

        LaneFaultPoint.Reach(LaneStep.RouteEnded);
        Effects.HasLeft |= _isLeaving && _routes.Count == 0;
        if (route.Barrier is { } passed)
        {
            passed.OpenRoutes--;
        }

        Effects.WakesHub = true;
    }

    private static void PutToHub(PendingEvent @event, Action<PendingCommand> put)
    {
        (@event.Lane, @event.HeldBy) = (null, null);
        if (@event.IsOver)
        {
            return;
        }

        put(@event);
    }
}
