using System.Buffers;
using CsCheck;
using Google.Protobuf;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;
using static GrpcShm.EventBus.Tests.Wire.EncodedFields;

namespace GrpcShm.EventBus.Tests.Wire;

/// <summary>What a client makes of the bytes of a response, compared with what the generated parser makes.</summary>
public sealed class IncomingResponseTests
{
    // A field of the number 100, which the contract does not have, with two bytes.
    private static readonly byte[] Unknown = [0xA2, 0x06, 0x02, 0x61, 0x62];

    private static readonly Gen<string> Texts = Gen.String[Gen.Char["abé€\u0007"], 0, 6];

    // One field each. A hub may write them in any order, and each of them more than once.
    private static readonly Gen<byte[]> EventFields = Gen.OneOf(
        Texts.Select(static text => Encoded(new Event { Id = text, Group = text })),
        Texts.Select(static text => Encoded(new Event { Name = text })),
        Texts.Select(static text => Encoded(new Event { Source = text })),
        Texts.Select(static text => Encoded(new Event { Target = text })),
        Gen.Byte.Array[0, 9].Select(static bytes => Encoded(new Event { Payload = ByteString.CopyFrom(bytes) })),
        Texts.Select(static text => Encoded(new Event { ContentType = text, TypeName = text })),
        Texts.Select(static text => Encoded(new Event { CorrelationId = text, CausationId = text })),
        Gen.Select(Gen.OneOf(Texts, Gen.Const("traceparent"), Gen.Const("tracestate")), Texts).Select(
            static (name, value) => Encoded(new Event { Headers = { new Header { Name = name, Value = value } } })),
        Gen.Long.Select(static time => Encoded(new Event { Timestamp = time })),
        Gen.Const(new byte[] { 0x48, 0x00 }),
        Gen.UInt.Select(static number => Encoded(new Event { Version = number })),
        Gen.ULong.Select(static number => Encoded(new Event { Sender = number, Sequence = number / 3 })),
        Gen.Const(Unknown));

    private static readonly Gen<byte[]> Events =
        Gen.Select(EventFields.Array[0, 12], Texts.Null(), EventFields.Array[0, 3]).Select(
            static (before, state, after) =>
            {
                byte[] change = state is null
                    ? []
                    : Encoded(new Event { StateChange = new StateChange { OldState = state, Duration = -1 } });
                return (byte[])[.. Joined(before), .. change, .. Joined(after)];
            });

    private static readonly Gen<byte[]> Deliveries =
        Gen.Select(Events, Gen.UInt, Gen.ULong, Gen.Enum<AcknowledgementLevel>(), Gen.UInt.Array[0, 5]).Select(
            static (@event, subscription, number, level, also) =>
            {
                var others = new Delivery
                {
                    Subscription = subscription, Number = number, Acknowledgement = level, Also = { also },
                };
                return Field(2, [.. Field(4, @event), .. Encoded(others)]);
            });

    private static readonly Gen<byte[]> Others = Gen.OneOf(
        Gen.ULong.Select(static number => Encoded(new SessionResponse { CompletedThrough = number })),
        Texts.Select(static text => Encoded(new SessionResponse { Opened = new SessionOpened { SessionId = text } })),
        Gen.ULong.Select(static number => Encoded(new SessionResponse
        {
            Outcomes = { new Outcome { Number = number, Reply = new Event { Name = "R" } } },
        })),
        Texts.Select(static text => Encoded(new SessionResponse { Closing = new SessionClosing { Message = text } })),
        Gen.UInt.Select(static number => Encoded(new SessionResponse { Losses = { new Loss { Dropped = number } } })),
        Gen.Const(Unknown));

    /// <summary>Responses that no parser takes, in hexadecimal.</summary>
    public static TheoryData<string> Malformed { get; } =
    [
        "120322FF01", // An event that is longer than its delivery.
        "1204220212FF", // A name that ends too early.
        "1205220312" + "01FF", // A name that is no UTF-8.
        "120522002A0181", // A further subscription that ends too early.
        "1207220542030A01FF", // A header whose name is no UTF-8.
        "120722056A030A01FF", // A state that is no UTF-8.
        "1202" + "2200" + "20", // A number without a value.
        "1202" + "2200" + "0A02", // An opening that ends too early.
        "12082206" + "8A0103" + "0541", // A group that is too short for its length.
        "1202" + "2200" + "07", // A wire type that does not exist.
        "1202" + "2200" + "0A030A01FF", // A session id that is no UTF-8.
    ];

    /// <summary>
    /// Responses that the generated parser takes, and the client leaves to it, in hexadecimal: whole, or the delivery.
    /// </summary>
    public static TheoryData<string, bool> LeftToTheParser { get; } = new()
    {
        { "1204" + "2200" + "2200", false }, // An event that comes twice.
        { "1208" + "2206" + "6A00" + "6A00" + "1200", false }, // A change of state that comes twice.
        { "1205" + "2203" + "820100", false }, // A change of machines.
        { "1202" + "2200" + "3A0161", true }, // A part.
        { "1200", false }, // A delivery without an event.
        { "1206" + "2200" + "2801" + "2802", false }, // Further subscriptions, one by one.
        { "1208" + "2200" + "2A0101" + "2A0102", false }, // Further subscriptions in two lists.
        { "120A" + "2200" + "2A06FFFFFFFFFF7F", false }, // A further subscription of more than 32 bits.
        { "1206" + "2200" + "2A028100", false }, // A further subscription of more bytes than it needs.
        { "1202" + "2200" + "A306A406", true }, // A group in an unknown field.
    };

    [Fact]
    public void Parse_AnyFieldsInAnyOrder_IsWhatTheParserReads() =>
        Gen.Select(Gen.OneOf(Deliveries, Deliveries, Others).Array[0, 8], Gen.Int[0, 300]).Sample(
            static (fields, cut) =>
            {
                byte[] bytes = [.. Joined(fields)];
                var expected = SessionResponse.Parser.ParseFrom(bytes);

                AssertEqual(expected, IncomingResponse.Parse(bytes));
                AssertEqual(expected, IncomingResponse.Parse(InTwoPieces(bytes, Math.Min(cut, bytes.Length))));
            });

    [Fact]
    public void Parse_EventsAndANumber_MakesNoMessages() =>
        Gen.Select(Deliveries.Array[1, 5], Gen.ULong).Sample(static (deliveries, number) =>
        {
            byte[] rest = Encoded(new SessionResponse { CompletedThrough = number });
            var response = IncomingResponse.Parse([.. Joined(deliveries), .. rest]);

            Assert.Null(response.Rest);
            Assert.Equal(number, response.CompletedThrough);
            Assert.Equal(deliveries.Length, response.Deliveries.Length);
        });

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Parse_Malformed_IsRefusedAsTheParserDoes(string hexadecimal)
    {
        var bytes = Convert.FromHexString(hexadecimal);

        var expected =
            Assert.Throws<InvalidProtocolBufferException>(() => SessionResponse.Parser.ParseFrom(bytes));

        Assert.Equal(
            expected.Message,
            Assert.Throws<InvalidProtocolBufferException>(() => IncomingResponse.Parse(bytes)).Message);
    }

    [Theory]
    [MemberData(nameof(LeftToTheParser))]
    public void Parse_Unusual_IsLeftToTheParser(string hexadecimal, bool isWhole)
    {
        var bytes = Convert.FromHexString(hexadecimal);

        var response = IncomingResponse.Parse(bytes);

        AssertEqual(SessionResponse.Parser.ParseFrom(bytes), response);
        Assert.Equal(isWhole, response.Rest is not null);
    }

    [Fact]
    public void Parse_OneUnusualEventAmongOthers_LeavesOnlyThatOneToTheParser()
    {
        var plain = new Event { Id = "i" };
        var rare = new Event { MachineChange = new MachineChange() };
        var usual = Encoded(new SessionResponse { Deliveries = { new Delivery { Event = plain } } });
        var unusual = Encoded(new SessionResponse { Deliveries = { new Delivery { Event = rare } } });
        byte[] bytes = [.. usual, .. unusual, .. usual];

        var response = IncomingResponse.Parse(bytes);

        AssertEqual(SessionResponse.Parser.ParseFrom(bytes), response);
        Assert.Null(response.Rest);
        Assert.NotNull(response.Deliveries[1].Event.MachineChange);
    }

    [Fact]
    public void Release_OfAResponse_LeavesItsEventsToWhoeverKeepsThem()
    {
        var sent = new Event { Id = "i", Name = "E", Payload = ByteString.CopyFromUtf8("kept"), ContentType = "text" };
        var bytes = new SessionResponse { Deliveries = { new Delivery { Event = sent } } }.ToByteArray();
        var response = IncomingResponse.Parse(bytes);
        var kept = response.Deliveries[0].Event;
        var payload = kept.ReadPayload();

        response.Release();
        bytes.AsSpan().Clear();
        IncomingResponse.Parse(new SessionResponse { Deliveries = { new Delivery { Event = new() } } }.ToByteArray());

        Assert.Equal(0, response.Deliveries.Length);
        Assert.Equal("kept", payload.Data.ToStringUtf8());
        Assert.Equal(("i", "E", "text"), (kept.ReadDetails().Id, kept.Name, kept.ReadPayload().ContentType));
    }

    [Theory]
    [InlineData(300, 5_000)]
    [InlineData(3_000, 0)]
    public void Parse_LargeResponses_AreReadWhole(int deliveries, int payload)
    {
        var expected = new SessionResponse();
        for (uint i = 0; i < deliveries; i++)
        {
            var @event = new Event { Name = $"{i}", Payload = ByteString.CopyFrom(new byte[payload]) };
            expected.Deliveries.Add(new Delivery { Subscription = i, Event = @event });
        }

        var response = IncomingResponse.Parse(InTwoPieces(expected.ToByteArray(), 1_000));

        AssertEqual(expected, response);
        Assert.Null(response.Rest);
        response.Release();
    }

    private static void AssertEqual(SessionResponse expected, IncomingResponse response)
    {
        Assert.Equal(expected.CompletedThrough, response.CompletedThrough);
        Assert.Equal(expected.Deliveries.Count, response.Deliveries.Length);
        for (var i = 0; i < expected.Deliveries.Count; i++)
        {
            AssertEqual(expected.Deliveries[i], response.Deliveries[i]);
        }

        // What else it has, without what was compared.
        var (others, rest) = (expected.Clone(), response.Rest?.Clone() ?? new SessionResponse());
        others.Deliveries.Clear();
        rest.Deliveries.Clear();
        others.CompletedThrough = rest.CompletedThrough = 0;
        Assert.Equal(others, rest);
    }

    private static void AssertEqual(Delivery expected, in IncomingDelivery delivery)
    {
        Assert.Equal(expected.Subscription, delivery.Subscription);
        Assert.Equal(expected.Number, delivery.Number);
        Assert.Equal(expected.Acknowledgement, delivery.Level);
        Assert.Equal(expected.Also, delivery.Also ?? []);
        Assert.Equal(expected.Event is null, delivery.Event.IsMissing);
        if (expected.Event is null)
        {
            return;
        }

        // All that a handler can ask for.
        Assert.Equal((expected.Event.Sender, expected.Event.Sequence), (delivery.Sender, delivery.Sequence));
        Assert.Equal((delivery.Sender, delivery.Sequence), delivery.Event.Place);
        Assert.Equal(expected.Event.MachineChange, delivery.Event.MachineChange);
        var codecs = new PayloadCodecs(new EventBusClientOptions());
        AssertEqual(new BusEvent(expected.Event, codecs), new BusEvent(delivery.Event, codecs));
    }

    private static void AssertEqual(BusEvent expected, BusEvent read)
    {
        Assert.Equal(
            (expected.Id, expected.EventName, expected.SourceMachineId, expected.TargetMachineId, expected.Group),
            (read.Id, read.EventName, read.SourceMachineId, read.TargetMachineId, read.Group));
        Assert.Equal(expected.RawPayload, read.RawPayload);
        Assert.Equal((expected.CorrelationId, expected.CausationId), (read.CorrelationId, read.CausationId));
        var (expectedDetails, details) = (expected.View.ReadDetails(), read.View.ReadDetails());
        Assert.Equal((expectedDetails.Timestamp, expected.Version), (details.Timestamp, read.Version));
        Assert.Equal(expected.Headers, read.Headers);
        Assert.Equal(expectedDetails.StateChange, details.StateChange);
        Assert.Equal(expected.View.ReadTraceContext(), read.View.ReadTraceContext());
        Assert.Equal(expected.View.ReadTraced(), read.View.ReadTraced());
        Assert.Same(read.RawPayload.Data, read.RawPayload.Data);
    }

    private static byte[] Encoded(IMessage message) => message.ToByteArray();

    private static IEnumerable<byte> Joined(byte[][] fields) => fields.SelectMany(static field => field);

    private static ReadOnlySequence<byte> InTwoPieces(byte[] bytes, int cut)
    {
        var first = new Piece(bytes[..cut], null);
        var second = new Piece(bytes[cut..], first);
        return new ReadOnlySequence<byte>(first, 0, second, second.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(byte[] bytes, Piece? before)
        {
            Memory = bytes;
            if (before is not null)
            {
                RunningIndex = before.Memory.Length;
                before.Next = this;
            }
        }
    }
}
