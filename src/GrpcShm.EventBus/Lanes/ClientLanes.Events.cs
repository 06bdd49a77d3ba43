using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

// What comes over a lane, and what goes. The lane's reading thread and its writer are here.
internal sealed partial class ClientLanes : ILaneEvents
{
    // The rest of a frame that has only events and acceptances.
    private static readonly LaneFrame Nothing = new();

    IThreadPoolWorkItem? ILaneEvents.Deliver(ClientLane lane, ReadOnlySpan<IncomingDelivery> deliveries)
    {
        lane.Outbox.LastUse = Environment.TickCount64;
        EventReceiver? inline = null;
        TargetRoute? route = null;
        try
        {
            foreach (ref readonly var delivery in deliveries)
            {
                if (TryPut(lane, delivery, ref route) is { } begun)
                {
                    Begin(inline);
                    inline = begun;
                }
            }
        }
        catch (LaneException)
        {
            // One that is begun and not run would be silent for ever.
            Begin(inline);
            throw;
        }

        LaneFaultPoint.Reach(LaneStep.EventTaken);
        return inline;
    }

    void ILaneEvents.TakeAnswers(ClientLane lane, IncomingFrame frame)
    {
        Use((lane.Outbox, Frame: frame), static (routes, state) =>
        {
            var (outbox, now) = (state.Outbox, routes.Clock());
            var isWrong = false;
            foreach (var outcome in state.Frame.Rest?.Outcomes ?? Nothing.Outcomes)
            {
                isWrong = isWrong || !routes.TryAnswer(outbox, outcome, now);
            }

            isWrong = isWrong || !routes.TryAccept(outbox, state.Frame.AcceptedThrough, now);
            foreach (var credit in state.Frame.Rest?.Credits ?? Nothing.Credits)
            {
                isWrong = isWrong || !routes.TryAddCredit(outbox, credit.Subscription, credit.Deliveries, now);
            }

            state.Frame.IsWrong = isWrong;
        });
        if (frame.IsWrong)
        {
            throw new LaneException("An answer or a credit is for nothing that was sent.");
        }

        lane.Link?.WakeToLeave();
    }

    LaneSends ILaneEvents.TakeSends(
        ClientLane lane, List<LaneSend> destination, int maxCount, int maxBytes, bool mayBeLarge) =>
        _queue.Take(lane.Outbox, destination, maxCount, maxBytes, mayBeLarge);

    void ILaneEvents.Leave(ClientLane lane)
    {
        LaneFaultPoint.Reach(LaneStep.LeaveTaken);
        Use(lane.Outbox, static (routes, outbox) => routes.Leave(outbox, routes.Clock()));
        _ = BoundLeaveAsync(lane, lane.Link!);
    }

    void ILaneEvents.End(ClientLane lane, string reason) => End(lane, reason);

    private static void Begin(EventReceiver? receiver)
    {
        if (receiver is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(receiver, preferLocal: false);
        }
    }

    // Gives back a receiver that somebody has to run; none if it is not to be run. The route is that of the last event
    // of the frame. If it has ended meanwhile, its receiver says so.
    private EventReceiver? TryPut(ClientLane lane, in IncomingDelivery delivery, ref TargetRoute? route)
    {
        if (delivery.Event.IsMissing
            || delivery.Also is not null
            || delivery.Level is < 0 or > AcknowledgementLevel.Replied)
        {
            throw new LaneException("A delivery has no event, several recipients, or an unknown level.");
        }

        if (route?.Number != delivery.Subscription
            && (!_targets.TryGetValue(delivery.Subscription, out route) || route.Lane != lane))
        {
            route = null;
            lane.Link?.Reroute(delivery.Number);
            return null;
        }

        if (delivery.Event.Source != route.Source || delivery.Event.Target != route.Target
            || delivery.Sender != route.Stamp)
        {
            throw new LaneException("An event came by a route that is not its own.");
        }

        var isAwaited = delivery.Level > AcknowledgementLevel.Delivered;
        if (isAwaited)
        {
            // Before a handler can answer.
            lane.Link?.NoteOwed(1);
        }

        // What the hub would refuse goes to the hub. All later events of the route follow it, in order.
        var isForHub = delivery.IsSpecial || delivery.EventSize > route.MaxEventSize
            || delivery.Event.Name.Length == 0 || !delivery.Event.IsAllowed(route.Limits);
        var run = false;
        switch (isForHub ? RoutePut.NotTaken : route.Receiver.Put(route, delivery, out run))
        {
            case RoutePut.Taken:
                return run ? route.Receiver : null;
            case RoutePut.NotTaken:
                lane.Link?.NoteOwed(isAwaited ? -1 : 0);
                EndTarget(route);
                lane.Link?.Reroute(delivery.Number);
                return null;
            default:
                throw new LaneException("An event came without credit.");
        }
    }
}
