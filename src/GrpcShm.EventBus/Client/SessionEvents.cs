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
        var also = 0L;
        foreach (ref readonly var delivery in deliveries)
        {
            if (delivery is { Event.IsMissing: true, Fence: 0 })
            {
                throw new EventBusException(
                    StatusCode.Internal, "The hub broke the rules: it wrote a delivery without an event.");
            }

            also += delivery.Also?.Length ?? 0;
        }

        IncomingDelivery.CheckShared(also);
        EventReceiver? inline = null;
        foreach (ref readonly var delivery in deliveries)
        {
            if (delivery.Fence != 0)
            {
                receivers.TryGet(delivery.Subscription, out var receiver);
                lanes?.TakeFence(link, receiver, delivery);
                continue;
            }

            Put(link, delivery.Subscription, delivery, ref inline);
            if (delivery.Also is not null)
            {
                var shared = delivery.Shared();
                foreach (var subscription in delivery.Also)
                {
                    Put(link, subscription, shared, ref inline);
                }
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

    private void Put(
        SessionLink link, uint subscription, in IncomingDelivery delivery, ref EventReceiver? inline)
    {
        if (receivers.TryGet(subscription, out var receiver) && receiver.Put(link, delivery))
        {
            if (inline is not null)
            {
                ThreadPool.UnsafeQueueUserWorkItem(inline, preferLocal: false);
            }

            inline = receiver;
        }
    }
}
