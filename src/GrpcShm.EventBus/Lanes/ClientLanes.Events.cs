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
        IThreadPoolWorkItem? inline = null;
        foreach (ref readonly var delivery in deliveries)
        {
            if (delivery.Event.IsMissing || delivery.Level > AcknowledgementLevel.Replied || delivery.Level < 0)
            {
                throw new LaneException("A delivery has no event, or an unknown level.");
            }

            if (!_targets.TryGetValue(delivery.Subscription, out var route) || route.Lane != lane)
            {
                lane.Link?.Reroute(delivery.Number);
                continue;
            }

            if (delivery.Event.Source != route.Source || delivery.Event.Target != route.Target
                || delivery.Sender != route.Stamp)
            {
                throw new LaneException("An event came by a route that is not its own.");
            }

            // What the hub would refuse goes to the hub. All later events of the route follow it, in order.
            var isForHub = delivery.IsSpecial || delivery.EventSize > route.MaxEventSize
                || delivery.Event.Name.Length == 0 || !delivery.Event.IsPrintable();
            var isAwaited = delivery.Level > AcknowledgementLevel.Delivered;
            if (isAwaited && !isForHub)
            {
                // Before a handler can answer.
                lane.Link?.NoteOwed(1);
            }

            var run = false;
            switch (isForHub ? RoutePut.NotTaken : route.Receiver.Put(route, delivery, out run))
            {
                case RoutePut.Taken when run && inline is not null:
                    ThreadPool.UnsafeQueueUserWorkItem(inline, preferLocal: false);
                    inline = route.Receiver;
                    break;
                case RoutePut.Taken when run:
                    inline = route.Receiver;
                    break;
                case RoutePut.Taken:
                    break;
                case RoutePut.NotTaken:
                    lane.Link?.NoteOwed(isAwaited && !isForHub ? -1 : 0);
                    EndTarget(route);
                    lane.Link?.Reroute(delivery.Number);
                    break;
                default:
                    Begin(inline);
                    throw new LaneException("An event came without credit.");
            }
        }

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

            isWrong = isWrong || !routes.TryAccept(outbox, state.Frame.AcceptedThrough);
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

    bool ILaneEvents.TakeSends(ClientLane lane, List<LaneSend> destination, int maxCount, int maxBytes) =>
        _queue.Take(lane.Outbox, destination, maxCount, maxBytes);

    void ILaneEvents.Leave(ClientLane lane)
    {
        Use(lane.Outbox, static (routes, outbox) => routes.Leave(outbox, routes.Clock()));
        _ = BoundLeaveAsync(lane);
    }

    void ILaneEvents.End(ClientLane lane, string reason) => End(lane, reason);

    private static void Begin(IThreadPoolWorkItem? receiver)
    {
        if (receiver is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(receiver, preferLocal: false);
        }
    }
}
