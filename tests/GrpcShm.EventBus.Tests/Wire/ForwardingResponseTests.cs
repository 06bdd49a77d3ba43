using System.Buffers;
using CsCheck;
using Google.Protobuf;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Wire;

/// <summary>The responses that the hub encodes itself, read by the generated parser.</summary>
public sealed class ForwardingResponseTests
{
    private static readonly Gen<Event> Events =
        from name in Gen.String[Gen.Char["aé"], 0, 200]
        from payload in Gen.Byte.Array[0, 300]
        select new Event { Name = name, Payload = ByteString.CopyFrom(payload) };

    private static readonly Gen<Delivery> Deliveries =
        from subscription in Gen.OneOf(Gen.Const(0u), Gen.UInt)
        from number in Gen.OneOf(Gen.Const(0ul), Gen.ULong)
        from level in Gen.Int[0, 4]
        from @event in Events
        from also in Gen.OneOf(Gen.Const(Array.Empty<uint>()), Gen.UInt.Array[1, 100])
        from fence in Gen.OneOf(Gen.Const(0u), Gen.UInt)
        from returned in Gen.OneOf(Gen.Const(0u), Gen.UInt)
        select new Delivery
        {
            Subscription = subscription,
            Number = number,
            Acknowledgement = (AcknowledgementLevel)level,
            Event = fence == 0 ? @event : null,
            Fence = fence,
            ReturnedCredit = fence == 0 ? 0 : returned,
            Also = { fence == 0 ? also : [] },
        };

    private static readonly Gen<Outcome> Outcomes =
        from number in Gen.ULong
        from message in Gen.String[Gen.Char["aé"], 0, 200]
        from hasReply in Gen.Bool
        from reply in Events
        select new Outcome { Number = number, Message = message, Reply = hasReply ? reply : null };

    [Fact]
    public void Encode_ASessionsResponse_IsTheMessageOfTheContract()
    {
        Gen.Select(Deliveries.Array[0, 6], Outcomes.Array[0, 6], Gen.ULong).Sample(
            static (deliveries, outcomes, through) =>
            {
                var expected = new SessionResponse
                {
                    Deliveries = { deliveries },
                    Outcomes = { outcomes },
                    CompletedThrough = through,
                    Losses = { new Loss { Subscription = 1, Dropped = through } },
                };
                var response = new HubSessionResponse(new SessionResponse
                {
                    CompletedThrough = through, Losses = { new Loss { Subscription = 1, Dropped = through } },
                });
                response.Deliveries.AddRange(deliveries.Select(Outgoing));
                response.Outcomes.AddRange(outcomes.Select(Outgoing));

                AssertEncodes(expected, response, SessionResponse.Parser);
            },
            iter: 2000);
    }

    [Fact]
    public void Encode_AResponseToASubscriber_IsTheMessageOfTheContract()
    {
        Deliveries.Array[0, 6].Sample(
            static deliveries =>
            {
                var expected = new SubscribeResponse { Deliveries = { deliveries }, Loss = new Loss { Dropped = 3 } };
                var response =
                    new HubSubscribeResponse(new SubscribeResponse { Loss = new Loss { Dropped = 3 } });
                response.Deliveries.AddRange(deliveries.Select(Outgoing));

                AssertEncodes(expected, response, SubscribeResponse.Parser);
            },
            iter: 2000);
    }

    private static OutgoingDelivery Outgoing(Delivery delivery)
    {
        var also = delivery.Also.Count > 0 ? new SharedRecipients() : null;
        foreach (var number in delivery.Also)
        {
            also!.Add(number);
        }

        return new OutgoingDelivery(
            delivery.Subscription,
            delivery.Number,
            delivery.Acknowledgement,
            new MessageEvent(delivery.Event?.Clone() ?? new Event()),
            also,
            delivery.Fence,
            delivery.ReturnedCredit);
    }

    private static OutgoingOutcome Outgoing(Outcome outcome)
    {
        var rest = outcome.Clone();
        rest.Reply = null;
        return new OutgoingOutcome(rest, RoutedEvent.Of(outcome.Reply?.Clone()));
    }

    private static void AssertEncodes<T>(T expected, ForwardingResponse response, MessageParser<T> parser)
        where T : IMessage<T>
    {
        Assert.Equal(expected.CalculateSize(), response.CalculateSize());
        Assert.Equal(expected, parser.ParseFrom(response.Encode().Span));

        // As a connection takes it: in pieces that are no larger than what is asked for.
        var pieces = new PieceWriter();
        response.WriteTo(pieces);
        Assert.Equal(expected, parser.ParseFrom(pieces.Written.ToArray()));
    }

    /// <summary>Gives out exactly as much memory as is asked for, and other memory each time.</summary>
    private sealed class PieceWriter : IBufferWriter<byte>
    {
        private byte[] _piece = [];

        public List<byte> Written { get; } = [];

        public void Advance(int count) => Written.AddRange(_piece.AsSpan(0, count));

        public Memory<byte> GetMemory(int sizeHint = 0) => _piece = new byte[Math.Max(1, sizeHint)];

        public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
    }
}
