using Google.Protobuf;
using GrpcShm.EventBus;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// A response of a hub. The client refuses what the generated parser refuses, with the same words, and its handlers see
/// of all others what the generated parser makes of them.
/// </summary>
internal sealed class SessionResponseTarget : IFuzzTarget
{
    private static readonly PayloadCodecs Codecs = new(new EventBusClientOptions());

    public string Name => "session-response";

    public int Weight => 30;

    public int MaxLength => 600;

    public IEnumerable<byte[]> Seeds
    {
        get
        {
            yield return new SessionResponse
            {
                Deliveries =
                {
                    new Delivery { Subscription = 1, Event = EventSeeds.Full },
                    new Delivery
                    {
                        Subscription = 2,
                        Number = 300,
                        Acknowledgement = AcknowledgementLevel.Processed,
                        Event = EventSeeds.Small,
                    },
                },
                CompletedThrough = 77,
            }.ToByteArray();
            yield return new SessionResponse
            {
                Deliveries = { new Delivery { Event = EventSeeds.Change }, new Delivery { Event = EventSeeds.Small } },
                Outcomes =
                {
                    new XStateNet.Events.V1.Outcome { Number = 3, Message = "none", Reply = EventSeeds.Small },
                },
                Losses = { new Loss { Subscription = 1, Dropped = 2 } },
            }.ToByteArray();
            yield return new SessionResponse { Deliveries = { new Delivery { Event = EventSeeds.Forged } } }
                .ToByteArray();
            yield return new SessionResponse
            {
                Deliveries = { new Delivery { Subscription = 1, Event = EventSeeds.Small, Also = { 2, 300, 70_000 } } },
            }.ToByteArray();
            yield return new SessionResponse
            {
                Opened = new SessionOpened { SessionId = "s", MaxEventSize = 1024, TakesParts = true },
                Closing = new SessionClosing { StatusCode = 14, Message = "it stops" },
            }.ToByteArray();
            yield return new SessionResponse { Part = ByteString.CopyFrom(1, 2, 3), PartFollows = true }.ToByteArray();
            foreach (var @event in EventSeeds.Unusual)
            {
                yield return [0x12, (byte)(@event.Length + 2), 0x22, (byte)@event.Length, .. @event];
            }
        }
    }

    public string Run(ReadOnlySpan<byte> input)
    {
        SessionResponse? expected = null;
        var refusal = "";
        try
        {
            expected = SessionResponse.Parser.ParseFrom(input);
        }
        catch (InvalidProtocolBufferException exception)
        {
            refusal = exception.Message;
        }

        IncomingResponse response;
        try
        {
            response = IncomingResponse.Parse(input);
        }
        catch (InvalidProtocolBufferException exception) when (expected is null)
        {
            FuzzFailureException.ThrowIf(
                exception.Message != refusal, $"The client says '{exception.Message}', the parser '{refusal}'.");
            return $"refused: {refusal}";
        }

        FuzzFailureException.ThrowIf(expected is null, $"The client takes what the parser refuses: {refusal}");
        Compare(response, expected!);
        var way = response.Rest is null ? "read" : response.Rest.Deliveries.Count > 0 ? "left to the parser" : "both";
        response.Release();
        var events = expected!.Deliveries.Where(static delivery => delivery.Event is not null).Take(3);
        return $"{way} {string.Join(' ', events.Select(static delivery => EventComparison.Describe(delivery.Event)))}";
    }

    private static void Compare(IncomingResponse response, SessionResponse expected)
    {
        Require(response.CompletedThrough == expected.CompletedThrough, "number of the last command");
        Require(response.Deliveries.Length == expected.Deliveries.Count, "number of deliveries");
        for (var i = 0; i < expected.Deliveries.Count; i++)
        {
            Compare(response.Deliveries[i], expected.Deliveries[i]);
        }

        var (others, rest) = (expected.Clone(), response.Rest?.Clone() ?? new SessionResponse());
        others.Deliveries.Clear();
        rest.Deliveries.Clear();
        others.CompletedThrough = rest.CompletedThrough = 0;
        Require(rest.Equals(others), "rest");
    }

    /// <summary>Compares a delivery with what the generated parser made of the same bytes.</summary>
    public static void Compare(in IncomingDelivery delivery, Delivery expected)
    {
        Require(delivery.Subscription == expected.Subscription, "subscription");
        Require(delivery.Number == expected.Number, "number");
        Require(delivery.Level == expected.Acknowledgement, "level");
        Require(expected.Also.SequenceEqual(delivery.Also ?? []), "further subscriptions");
        Require(delivery.Event.IsMissing == expected.Event is null, "presence of an event");
        if (expected.Event is null)
        {
            return;
        }

        Require(delivery.Sender == expected.Event.Sender, "sender");
        Require(delivery.Sequence == expected.Event.Sequence, "sequence");
        Require(delivery.Event.Place == (delivery.Sender, delivery.Sequence), "place");
        Require(Equals(delivery.Event.MachineChange, expected.Event.MachineChange), "change of machines");
        var details = delivery.Event.ReadDetails();
        Require(details.Timestamp == expected.Event.Timestamp, "time");
        Require(Equals(details.StateChange, expected.Event.StateChange), "change of state");
        var parsed = new EventView(expected.Event);
        Require(delivery.Event.ReadTraceContext() == parsed.ReadTraceContext(), "trace context");
        Require(delivery.Event.ReadTraced() == parsed.ReadTraced(), "traced parts");
        Compare(new BusEvent(delivery.Event, Codecs), new BusEvent(expected.Event, Codecs));
    }

    private static void Compare(BusEvent received, BusEvent expected)
    {
        Require(received.Id == expected.Id, "id");
        Require(received.EventName == expected.EventName, "name");
        Require(received.SourceMachineId == expected.SourceMachineId, "source");
        Require(received.TargetMachineId == expected.TargetMachineId, "target");
        Require(received.Group == expected.Group, "group");
        Require(received.RawPayload == expected.RawPayload, "payload");
        Require(received.Version == expected.Version, "version");
        Require(received.CorrelationId == expected.CorrelationId, "correlation");
        Require(received.CausationId == expected.CausationId, "causation");
        Require(
            received.Headers.Count == expected.Headers.Count
            && received.Headers.All(header => expected.Headers.GetValueOrDefault(header.Key) == header.Value),
            "headers");
    }

    private static void Require(bool condition, string what) =>
        FuzzFailureException.ThrowIf(!condition, $"The {what} differs from that of the generated parser.");
}
