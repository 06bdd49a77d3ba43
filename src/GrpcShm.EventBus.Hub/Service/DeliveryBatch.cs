using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;

namespace GrpcShm.EventBus.Service;

/// <summary>Fills the deliveries of one stream's next response from its outbox.</summary>
internal sealed class DeliveryBatch(Outbox outbox)
{
    // Small enough to be written soon and to stay far below the size that gRPC lets a receiver take, large enough that
    // the cost of a message does not matter.
    private const int MaxEvents = 256;

    // Subscriptions without credit may have lost events, too, and there may be very many of them.
    private const int MaxLosses = 4096;

    public const int MaxBytes = MessageSize.Batch;

    private readonly MailItem[] _items = new MailItem[MaxEvents];

    /// <summary>How many bytes the response has, with the events that it got last.</summary>
    public int Bytes { get; private set; }

    /// <summary>How many of the deliveries that it got last are events.</summary>
    public int Events { get; private set; }

    /// <summary>Takes events from the mailboxes of the stream's subscribers, in turn.</summary>
    /// <param name="deliveries">The deliveries of the response, which has none yet.</param>
    /// <param name="used">
    /// How many bytes the response has already. With <see cref="MaxBytes"/> of them it gets no events.
    /// </param>
    /// <param name="onLoss">Called for each subscriber that lost events, with how many it lost so far.</param>
    /// <returns>How many events there are.</returns>
    public int Fill(List<OutgoingDelivery> deliveries, int used, Action<Subscriber, long> onLoss)
    {
        var bytes = used;
        var losses = 0;
        var fences = 0;
        while (deliveries.Count < MaxEvents
            && bytes < MaxBytes
            && losses < MaxLosses
            && outbox.TryTakeReady(out var subscriber))
        {
            var taken = subscriber!.Take(_items.AsSpan(0, MaxEvents - deliveries.Count), MaxBytes - bytes);
            for (var i = 0; i < taken; i++)
            {
                var delivery = subscriber.Deliver(_items[i]);
                deliveries.Add(delivery);
                fences += delivery.Fence == 0 ? 0 : 1;
                bytes += _items[i].Size;
            }

            Array.Clear(_items, 0, taken);
            if (subscriber.TakeLoss() is > 0 and var lost)
            {
                onLoss(subscriber, lost);
                losses++;
            }
        }

        Bytes = bytes;
        Events = deliveries.Count - fences;
        return deliveries.Count;
    }
}
