using GrpcShm.EventBus.Forwarding;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>A <see cref="Delivery"/> of which the event is not encoded anew.</summary>
/// <param name="Subscription">The number of the subscription.</param>
/// <param name="Number">The number by which it is acknowledged; zero if it is not.</param>
/// <param name="Level">How far the event must come for the acknowledgement.</param>
/// <param name="Event">The event.</param>
/// <param name="Also">Further subscriptions that get it; none if there are none.</param>
/// <param name="Fence">The route whose fence it is; zero if it is an event.</param>
/// <param name="ReturnedCredit">For a fence: how many deliveries of the subscription's credit were given up.</param>
internal readonly record struct OutgoingDelivery(
    uint Subscription,
    ulong Number,
    AcknowledgementLevel Level,
    RoutedEvent Event,
    SharedRecipients? Also = null,
    uint Fence = 0,
    uint ReturnedCredit = 0)
{
    // The same field of both kinds of responses.
    private const byte Tag = (SessionResponse.DeliveriesFieldNumber << 3) | 2;
    private const byte SubscriptionTag = Delivery.SubscriptionFieldNumber << 3;
    private const byte NumberTag = Delivery.NumberFieldNumber << 3;
    private const byte LevelTag = Delivery.AcknowledgementFieldNumber << 3;
    private const byte EventTag = (Delivery.EventFieldNumber << 3) | 2;
    private const byte FenceTag = Delivery.FenceFieldNumber << 3;
    private const byte ReturnedCreditTag = Delivery.ReturnedCreditFieldNumber << 3;

    /// <summary>How many bytes it has in a response, with its tag and its length.</summary>
    public int CalculateSize() => FieldWriter.SizeWithTag(CalculateLength(Event.Encoded.Length));

    /// <summary>Writes it as a field of a response.</summary>
    public void WriteTo(ref FieldWriter writer)
    {
        var @event = Event.Encoded;
        writer.WriteVarint(Tag, (ulong)CalculateLength(@event.Length));
        if (Subscription != 0)
        {
            writer.WriteVarint(SubscriptionTag, Subscription);
        }

        if (Number != 0)
        {
            writer.WriteVarint(NumberTag, Number);
        }

        if (Level != AcknowledgementLevel.Unspecified)
        {
            writer.WriteVarint(LevelTag, (ulong)Level);
        }

        if (Fence != 0)
        {
            writer.WriteVarint(FenceTag, Fence);
            if (ReturnedCredit != 0)
            {
                writer.WriteVarint(ReturnedCreditTag, ReturnedCredit);
            }

            return;
        }

        writer.WriteVarint(EventTag, (ulong)@event.Length);
        writer.Write(@event);
        Also?.WriteTo(ref writer);
    }

    private int CalculateLength(int eventLength) =>
        (Subscription == 0 ? 0 : 1 + FieldWriter.SizeOf(Subscription))
        + (Number == 0 ? 0 : 1 + FieldWriter.SizeOf(Number))
        + (Level == AcknowledgementLevel.Unspecified ? 0 : 1 + FieldWriter.SizeOf((ulong)Level))
        + (Fence == 0
            ? FieldWriter.SizeWithTag(eventLength) + (Also?.CalculateSize() ?? 0)
            : 1 + FieldWriter.SizeOf(Fence) + (ReturnedCredit == 0 ? 0 : 1 + FieldWriter.SizeOf(ReturnedCredit)));
}
