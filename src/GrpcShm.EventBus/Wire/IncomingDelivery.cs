using Grpc.Core;
using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Wire;

/// <summary>A <see cref="Delivery"/> whose event is not parsed into a message.</summary>
/// <param name="Subscription">The number of the subscription.</param>
/// <param name="Number">The number by which it is acknowledged; zero if it is not.</param>
/// <param name="Level">How far the event must come for the acknowledgement.</param>
/// <param name="Event">The event.</param>
/// <param name="Sender">The number of the event's sender; zero: none.</param>
/// <param name="Sequence">The event's place among those of its sender; zero: none.</param>
/// <param name="Also">Further subscriptions that get the event; none if there are none.</param>
internal readonly record struct IncomingDelivery(
    uint Subscription,
    ulong Number,
    AcknowledgementLevel Level,
    EventView Event,
    ulong Sender,
    ulong Sequence,
    uint[]? Also = null)
{
    private const int MostShared = 65_536;

    /// <summary>How many bytes the event has, encoded.</summary>
    public int EventSize { get; init; }

    /// <summary>True if the event has parts that only the hub puts in, or tells of a change of state.</summary>
    public bool IsSpecial { get; init; }

    /// <summary>The route if this is no event, but its fence; else zero.</summary>
    public uint Fence { get; init; }

    /// <summary>With a fence: how much credit the hub has given up.</summary>
    public uint ReturnedCredit { get; init; }

    private const uint SubscriptionTag = Delivery.SubscriptionFieldNumber << 3;
    private const uint NumberTag = Delivery.NumberFieldNumber << 3;
    private const uint LevelTag = Delivery.AcknowledgementFieldNumber << 3;
    private const uint FenceTag = Delivery.FenceFieldNumber << 3;
    private const uint EventTag = (Delivery.EventFieldNumber << 3) | 2;
    private const uint AlsoTag = (Delivery.AlsoFieldNumber << 3) | 2;
    private const uint AlsoOneTag = Delivery.AlsoFieldNumber << 3;

    /// <summary>Makes a delivery of one that the generated parser has read.</summary>
    public static IncomingDelivery Of(Delivery delivery) => new(
        delivery.Subscription,
        delivery.Number,
        delivery.Acknowledgement,
        delivery.Event is { } message ? new EventView(message) : default,
        delivery.Event?.Sender ?? 0,
        delivery.Event?.Sequence ?? 0,
        delivery.Also.Count > 0 ? [.. delivery.Also] : null)
    {
        EventSize = delivery.Event?.CalculateSize() ?? 0,
        IsSpecial = delivery.Event is { } @event
            && (@event.StateChange is not null || @event.MachineChange is not null || @event.Group.Length > 0),
        Fence = delivery.Event is null ? delivery.Fence : 0,
        ReturnedCredit = delivery.ReturnedCredit,
    };

    /// <summary>Reads a delivery. What it refers to afterwards is copied.</summary>
    /// <returns><see langword="false"/> if the generated parser has to decide.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out IncomingDelivery delivery)
    {
        delivery = default;
        var (subscription, number, level) = (0ul, 0ul, 0ul);
        var hasEvent = false;
        ReadOnlySpan<byte> @event = [];
        ReadOnlySpan<byte> also = [];
        var reader = new FieldReader(bytes);
        while (!reader.IsAtEnd)
        {
            if (!reader.TryReadTag(out var tag))
            {
                return false;
            }

            var isTaken = tag switch
            {
                SubscriptionTag => reader.TryReadVarint(out subscription),
                NumberTag => reader.TryReadVarint(out number),
                LevelTag => reader.TryReadVarint(out level),
                FenceTag => false,
                EventTag => !hasEvent && reader.TryReadBytes(out @event),
                AlsoTag => also.IsEmpty && reader.TryReadBytes(out also),

                // No hub writes them one by one.
                AlsoOneTag => false,
                _ => reader.TrySkip(tag),
            };
            if (!isTaken)
            {
                return false;
            }

            hasEvent |= tag == EventTag;
        }

        uint[]? others = null;
        if (!hasEvent
            || (!also.IsEmpty && !TryReadNumbers(also, out others))
            || !EncodedEvent.TryRead(@event, out var read))
        {
            return false;
        }

        // An enumeration and a number of 32 bits take the lowest bits of what comes.
        delivery = new IncomingDelivery(
            (uint)subscription,
            number,
            (AcknowledgementLevel)level,
            new EventView(read.Rest, read.Name, read.Source, read.Target),
            read.Sender,
            read.Sequence,
            others)
        {
            EventSize = @event.Length,
            IsSpecial = read.IsSpecial,
        };
        return true;
    }

    /// <summary>The same delivery for the further subscriptions, which do not acknowledge it.</summary>
    public IncomingDelivery Shared() => this with { Number = 0, Level = AcknowledgementLevel.Unspecified, Also = null };

    /// <summary>Checks how many further subscriptions get deliveries of one response.</summary>
    /// <exception cref="EventBusException">
    /// There are too many. A byte of a response may stand for an event in a queue.
    /// </exception>
    public static void CheckShared(long count)
    {
        if (count > MostShared)
        {
            throw new EventBusException(
                StatusCode.Internal,
                $"The hub broke the rules: the deliveries of one response have {count} further subscriptions, and may "
                + $"have {MostShared}.");
        }
    }

    private static bool TryReadNumbers(ReadOnlySpan<byte> bytes, out uint[]? numbers)
    {
        // The last byte of each is less than 0x80.
        var count = 0;
        foreach (var value in bytes)
        {
            count += value < 0x80 ? 1 : 0;
        }

        // The generated parser would make room for all of them, too.
        CheckShared(count);
        numbers = new uint[count];
        var reader = new FieldReader(bytes);
        for (var i = 0; !reader.IsAtEnd; i++)
        {
            if (!reader.TryReadVarint(out var number))
            {
                return false;
            }

            numbers[i] = (uint)number;
        }

        return true;
    }
}
