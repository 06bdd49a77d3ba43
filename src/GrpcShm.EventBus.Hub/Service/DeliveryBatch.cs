using System.Runtime.InteropServices;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;

namespace GrpcShm.EventBus.Service;

/// <summary>Fills the deliveries of one stream's next response from its outbox.</summary>
/// <remarks>
/// If the client takes shared deliveries, a subscription joins the delivery of the same publication that the response
/// has already, unless a later delivery of the response is for this subscription: it would get that one first.
/// </remarks>
internal sealed class DeliveryBatch(Outbox outbox)
{
    // Small enough to be written soon and to stay far below the size that gRPC lets a receiver take, large enough that
    // the cost of a message does not matter.
    private const int MaxEvents = 256;

    // A recipient that shares a delivery costs some bytes. The client puts the events of all of them into queues before
    // it reads on.
    private const int MaxRecipients = 4096;

    // Subscriptions without credit may have lost events, too, and there may be very many of them.
    private const int MaxLosses = 4096;

    // Most responses have few publications. Each of the lists may have grown to some kilobytes.
    private const int MostKeptShares = 16;

    // Where several subscribers wait, none fills the response alone: then the same events of the others could not join.
    private const int MaxEventsInTurn = 32;
    private const int MaxBytesInTurn = MaxBytes / 8;

    public const int MaxBytes = MessageSize.Batch;

    private readonly MailItem[] _items = new MailItem[MaxEvents];
    private readonly Dictionary<RoutedEvent, int> _places = new(ReferenceEqualityComparer.Instance);
    private readonly List<SharedRecipients> _shares = [];
    private int _sharesInUse;
    private uint _number;
    private volatile bool _mayShare;

    /// <summary>How many bytes the response has, with the events that it got last.</summary>
    public int Bytes { get; private set; }

    /// <summary>How many subscriptions get an event by the response: one that gets two counts twice.</summary>
    public int Recipients { get; private set; }

    /// <summary>Says that the client takes shared deliveries.</summary>
    public void AllowSharing() => _mayShare = true;

    /// <summary>Takes events from the mailboxes of the stream's subscribers, in turn.</summary>
    /// <param name="deliveries">
    /// The deliveries of the response, which has none yet. They are to be written before the next call.
    /// </param>
    /// <param name="used">
    /// How many bytes the response has already. With <see cref="MaxBytes"/> of them it gets no events.
    /// </param>
    /// <param name="onLoss">Called for each subscriber that lost events, with how many it lost so far.</param>
    /// <returns>How many deliveries there are.</returns>
    public int Fill(List<OutgoingDelivery> deliveries, int used, Action<Subscriber, long> onLoss)
    {
        var losses = 0;
        (Bytes, Recipients, _sharesInUse) = (used, 0, 0);
        _number++;
        while (deliveries.Count < MaxEvents
            && Recipients < MaxRecipients
            && Bytes < MaxBytes
            && losses < MaxLosses
            && outbox.TryTakeReady(out var subscriber))
        {
            var room = Math.Min(MaxEvents - deliveries.Count, MaxRecipients - Recipients);
            var bytes = MaxBytes - Bytes;
            if (_mayShare && outbox.HasReady)
            {
                (room, bytes) = (Math.Min(room, MaxEventsInTurn), Math.Min(bytes, MaxBytesInTurn));
            }

            var taken = subscriber!.Take(_items.AsSpan(0, room), bytes);
            for (var i = 0; i < taken; i++)
            {
                Add(deliveries, subscriber, _items[i]);
            }

            Array.Clear(_items, 0, taken);
            if (subscriber.TakeLoss() is > 0 and var lost)
            {
                onLoss(subscriber, lost);
                losses++;
            }
        }

        _places.Clear();
        return deliveries.Count;
    }

    private void Add(List<OutgoingDelivery> deliveries, Subscriber subscriber, in MailItem item)
    {
        var delivery = subscriber.Deliver(item);

        // A fence is no event.
        Recipients += delivery.Fence == 0 ? 1 : 0;
        if (_mayShare)
        {
            var mayBeShared = item.Event.IsPublished && delivery is { Number: 0, Fence: 0 };
            if (mayBeShared
                && _places.TryGetValue(item.Event, out var place)
                && place > subscriber.LastPlaceIn(_number))
            {
                subscriber.NotePlace(_number, place);
                Join(ref CollectionsMarshal.AsSpan(deliveries)[place], subscriber.Number);

                // Whoever writes the delivery releases the event once, and holds it until then.
                item.Event.Release();
                return;
            }

            subscriber.NotePlace(_number, deliveries.Count);
            if (mayBeShared)
            {
                // Further recipients rather join this one than an earlier one, which fewer of them can join.
                _places[item.Event] = deliveries.Count;
            }
        }

        deliveries.Add(delivery);
        Bytes += item.Size;
    }

    private void Join(ref OutgoingDelivery delivery, uint subscription)
    {
        if (delivery.Also is null)
        {
            delivery = delivery with { Also = TakeShare() };
        }

        delivery.Also!.Add(subscription);
        Bytes += FieldWriter.SizeOf(subscription);
    }

    private SharedRecipients TakeShare()
    {
        if (_sharesInUse == _shares.Count)
        {
            var made = new SharedRecipients();
            if (_shares.Count == MostKeptShares)
            {
                return made;
            }

            _shares.Add(made);
        }

        var share = _shares[_sharesInUse++];
        share.Clear();
        return share;
    }
}
