using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

// What the hub says of lanes and routes. The session's reading thread is here, but for the session's beginning and end.
internal sealed partial class ClientLanes
{
    /// <summary>
    /// Says in a session's opening that the client takes lanes. Before the first one it begins to listen.
    /// </summary>
    public async Task AnnounceAsync(OpenSession opening, CancellationToken cancellationToken)
    {
        opening.TakesLanes = true;
        opening.LaneAddress = await ListenAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Begins to ask for routes, if the hub offers them.</summary>
    public void Begin(SessionLink link, SessionOpened opened)
    {
        if (opened.OffersLanes)
        {
            Use((Link: link, _queue.Sender), static (routes, state) =>
                routes.Begin(state.Link, state.Sender, state.Link.Limits));
        }
    }

    /// <summary>Ends all lanes of a session that has ended. Their events go to the next one.</summary>
    public void End(SessionLink link)
    {
        // Another thread that has just ended one of them may be late. Its events must be in the queue before this
        // session's last word, and before the next session takes events.
        var lanes = _lanes.Values.Where(lane => lane.Session == link).ToArray();
        Array.ForEach(lanes, static lane => lane.TryEnd());
        Use(lanes, static (routes, lanes) => routes.End(lanes.Select(static lane => lane.Outbox), routes.Clock()));
        Array.ForEach(lanes, Forget);
    }

    /// <summary>
    /// Lets all routes end before the client disconnects: what was sent goes by the hub, or is answered.
    /// </summary>
    /// <param name="link">The session.</param>
    /// <param name="cancellationToken">Gives up waiting. Then the lanes end, and their events go by the hub.</param>
    public async Task LeaveAsync(SessionLink link, CancellationToken cancellationToken)
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Write(ref _left, left);
        Use(left, static (routes, _) => routes.Leave(routes.Clock()));
        await left.Task.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!left.Task.IsCompleted)
        {
            foreach (var lane in _lanes.Values.Where(lane => lane.Session == link))
            {
                End(lane, "The other process did not answer before the client disconnected.");
            }
        }
    }

    /// <summary>Takes the hub's notices of one response, in order.</summary>
    public void Take(SessionLink link, IReadOnlyList<LaneNotice> notices)
    {
        foreach (var notice in notices)
        {
            switch (notice.NoticeCase)
            {
                case LaneNotice.NoticeOneofCase.Introduction:
                    Introduce(new ClientLane(notice.Introduction, link));
                    break;
                case LaneNotice.NoticeOneofCase.Grant:
                    Take(link, notice.Grant);
                    break;
                case LaneNotice.NoticeOneofCase.Withdrawal:
                    Withdraw(link, notice.Withdrawal);
                    break;
            }
        }
    }

    /// <summary>Takes a fence: all events that the hub has put before it are in the queue.</summary>
    public void TakeFence(SessionLink link, EventReceiver? receiver, in IncomingDelivery fence)
    {
        LaneFaultPoint.Reach(LaneStep.FenceTaken);

        // The hub writes a grant before its fence. A route that is not known has ended since.
        var taken = 0;
        if (_targets.TryGetValue(fence.Fence, out var route) && route.Receiver == receiver
            && route.Lane.Session == link)
        {
            taken = BeginRoute(route, fence.ReturnedCredit);
        }

        if (fence.ReturnedCredit > taken)
        {
            // The hub has given it up, and nobody has it. The receiver's window still counts it as the hub's.
            link.Note(new SessionCommand
            {
                Grant = new Credit
                {
                    Subscription = fence.Subscription, Deliveries = fence.ReturnedCredit - (uint)taken,
                },
            });
        }

        if (fence.Number != 0)
        {
            link.Note(new SessionCommand
            {
                Acknowledge = new Acknowledgement { Subscription = fence.Subscription, Number = fence.Number },
            });
        }
    }

    private void Introduce(ClientLane lane)
    {
        if (_lanes.Count >= MaxLanes || !_lanes.TryAdd(lane.Id, lane))
        {
            return;
        }

        if (lane.Session.HasEnded)
        {
            // Whoever ended the lanes of the session may not have seen this one.
            lane.TryEnd();
            Forget(lane);
            return;
        }

        LaneFaultPoint.Reach(LaneStep.Introduced);
        var introduced = Interlocked.Exchange(
            ref _introduced, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        introduced.TrySetResult();
        _ = lane.IsConnector ? ConnectAsync(lane) : BoundWaitAsync(lane);
    }

    private void Take(SessionLink link, RouteGrant grant)
    {
        if (!_lanes.TryGetValue(grant.Lane, out var lane) || lane.Session != link)
        {
            GiveUp(link, grant.Route);
        }
        else if (!grant.IsTarget)
        {
            var isTaken = false;
            Use((Grant: grant, Lane: lane), (routes, state) =>
            {
                // Under the lock: whoever ends the lane from now on finds the route.
                isTaken = !state.Lane.IsOver
                    && routes.TryGrant(state.Grant, state.Lane.Outbox, state.Lane.Session, routes.Clock());
            });
            if (!isTaken)
            {
                // In this session, though another one may have begun.
                GiveUp(link, grant.Route);
            }
        }
        else
        {
            TakeAsTarget(lane, grant);
        }
    }

    private void TakeAsTarget(ClientLane lane, RouteGrant grant)
    {
        if (!_receivers.TryGetMachine(grant.Target, out var receiver) || receiver.HasEnded
            || _targets.Count >= MaxTargets)
        {
            GiveUp(lane.Session, grant.Route);
            return;
        }

        LaneFaultPoint.Reach(LaneStep.GrantTaken);
        var route = new TargetRoute(grant, lane, receiver);
        if (!_targets.TryAdd(grant.Route, route))
        {
            GiveUp(lane.Session, grant.Route);
        }
        else if (lane.IsOver)
        {
            // Whoever ended the lane meanwhile may not have seen the route.
            EndTarget(route);
        }
    }

    // Gives back how much of the credit that the hub has returned the route has taken.
    private int BeginRoute(TargetRoute route, uint returned)
    {
        if (route.Receiver.BeginRoute(route, returned) is not { } begun)
        {
            // There is no room to share. The hub goes on carrying the events.
            EndTarget(route);
            return 0;
        }

        if (begun.Room > 0)
        {
            route.GiveCredit(new Credit { Subscription = route.Number, Deliveries = (uint)begun.Room });
        }

        return begun.OfTheHub;
    }

    private void Withdraw(SessionLink link, RouteWithdrawal withdrawal)
    {
        if (_targets.TryGetValue(withdrawal.Route, out var route) && route.Lane.Session == link)
        {
            EndTarget(route);
        }
        else
        {
            Use(withdrawal.Route, static (routes, number) => routes.Withdraw(number, routes.Clock()));
        }
    }

    // From here on nothing of it is taken. Only then is the hub told, which may have observers wait for it.
    private void EndTarget(TargetRoute route)
    {
        // In this order: whoever does not find the route any more knows that it takes nothing.
        if (route.Receiver.EndRoute(route))
        {
            _targets.TryRemove(new KeyValuePair<uint, TargetRoute>(route.Number, route));
            LaneFaultPoint.Reach(LaneStep.TargetEnded);
            GiveUp(route.Lane.Session, route.Number);
        }
    }

    private static void GiveUp(SessionLink link, uint route) =>
        link.Note(new SessionCommand { CloseRoute = new RouteClosed { Route = route } });

    private void End(ClientLane lane, string reason, bool mayTryAgain = false)
    {
        if (!lane.TryEnd())
        {
            return;
        }

        LaneFaultPoint.Reach(LaneStep.LaneEnded);

        // First: the hub would grant the lane to machines that ask while its events go back.
        lane.Session.Note(new SessionCommand
        {
            LaneFailed = new LaneFailure { Lane = lane.Id, HadStood = lane.HasStood || mayTryAgain },
        });
        Use(lane.Outbox, static (routes, outbox) => routes.Break(outbox, routes.Clock()));
        Forget(lane);
        _logger.LaneEnded(lane.Id, reason);
    }

    private void Forget(ClientLane lane)
    {
        lane.Link?.Close();
        foreach (var route in _targets.Values.Where(route => route.Lane == lane))
        {
            EndTarget(route);
        }

        // Another hub may have given the number to another lane meanwhile.
        _lanes.TryRemove(new KeyValuePair<ulong, ClientLane>(lane.Id, lane));
    }
}
