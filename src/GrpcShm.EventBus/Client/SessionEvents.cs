using Grpc.Core;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Brings what a session has read to the client's receivers, commands and listeners.</summary>
internal sealed class SessionEvents(
    ReceiverTable receivers, CommandAnswers answers, RaisedEvents events, ClientLanes? lanes)
    : ISessionEvents
{
    public IThreadPoolWorkItem? Deliver(SessionLink link, ReadOnlySpan<IncomingDelivery> deliveries)
    {
        // Before any receiver was begun: one that is begun and not run would be silent for ever.
        foreach (ref readonly var delivery in deliveries)
        {
            if (delivery is { Event.IsMissing: true, Fence: 0 })
            {
                throw new EventBusException(
                    StatusCode.Internal, "The hub broke the rules: it wrote a delivery without an event.");
            }
        }

        EventReceiver? inline = null;
        foreach (ref readonly var delivery in deliveries)
        {
            var isKnown = receivers.TryGet(delivery.Subscription, out var receiver);
            if (delivery.Fence != 0)
            {
                lanes?.TakeFence(link, receiver, delivery);
            }
            else if (isKnown && receiver!.Put(link, delivery))
            {
                if (inline is not null)
                {
                    ThreadPool.UnsafeQueueUserWorkItem(inline, preferLocal: false);
                }

                inline = receiver;
            }
        }

        return inline;
    }

    public void Answer(PendingCommand command, Outcome? outcome) => answers.Answer(command, outcome);

    public void Refuse(PendingCommand command, EventBusException reason) => answers.Fail(command, reason);

    public void TakeNotices(SessionLink link, IReadOnlyList<LaneNotice> notices) => lanes?.Take(link, notices);

    public void TellOfLoss(Loss loss)
    {
        if (receivers.TryGet(loss.Subscription, out var receiver))
        {
            events.TellOfLoss(receiver.Name, (long)loss.Dropped);
        }
    }
}
