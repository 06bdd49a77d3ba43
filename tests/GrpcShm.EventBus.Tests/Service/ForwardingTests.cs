using Google.Protobuf;
using Grpc.Core;
using XStateNet.Events.V1;
using static GrpcShm.EventBus.Tests.Wire.EncodedFields;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>Events that no usual client encodes come through the hub with their meaning.</summary>
public sealed class ForwardingTests : HubTest
{
    private const int MaxEventSize = 10_000;

    private static readonly Marshaller<byte[]> Bytes = Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes);

    private static readonly Method<byte[], byte[]> Session =
        new(MethodType.DuplexStreaming, "xstatenet.events.v1.EventBus", "Session", Bytes, Bytes);

    private static readonly Event Usual = new()
    {
        Id = "i",
        Name = "E",
        Target = "m",
        Payload = ByteString.CopyFromUtf8("payload"),
        Headers = { new Header { Name = "h", Value = "1" } },
        StateChange = new StateChange { OldState = "a", NewState = "b" },
        Timestamp = 5,
        Sequence = 9,
    };

    /// <summary>Events with the name of what is not usual about them.</summary>
    public static TheoryData<string, byte[]> UnusualEvents { get; } = new()
    {
        // 100, 101, 102 and 104: a varint, eight bytes, bytes, four bytes.
        {
            "unknown fields",
            [
                .. Usual.ToByteArray(),
                0xA0, 0x06, 0x05,
                0xA9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8,
                0xB2, 0x06, 0x02, 0x61, 0x62,
                0xC5, 0x06, 1, 2, 3, 4,
            ]
        },
        { "an unknown group", [.. Usual.ToByteArray(), 0xBB, 0x06, 0x08, 0x01, 0xBC, 0x06] },
        { "a name as a number beside the name", [.. Usual.ToByteArray(), 0x10, 0x07] },
        {
            "the last fields first",
            [
                .. new Event { Sequence = 9, StateChange = Usual.StateChange }.ToByteArray(),
                .. new Event { Headers = { Usual.Headers } }.ToByteArray(),
                .. new Event { Target = "m" }.ToByteArray(),
                .. new Event { Name = "E" }.ToByteArray(),
            ]
        },
        {
            "fields that come twice",
            [
                .. new Event { Name = "first", Target = "nobody", Timestamp = 1 }.ToByteArray(),
                .. Usual.ToByteArray(),
                .. new Event { StateChange = new StateChange { Transition = "GO" } }.ToByteArray(),
            ]
        },
    };

    protected override void Configure(EventBusOptions options) => options.MaxEventSize = MaxEventSize;

    [Theory]
    [MemberData(nameof(UnusualEvents))]
    public async Task Send_AnUnusualEvent_ArrivesAsTheParserUnderstandsIt(string what, byte[] encoded)
    {
        await using var machine = await OpenMachineAsync("m");
        await using var observer = OpenSession();
        await SubscribeAsync(observer, new Subscription { Number = 1, Machine = "m" });
        using var sender = Connect().CreateCallInvoker().AsyncDuplexStreamingCall(Session, null, default);

        // commands = { send = the event }
        await sender.RequestStream.WriteAsync(Field(1, Field(4, encoded))).InTime();

        var expected = Event.Parser.ParseFrom(encoded);
        foreach (var session in new[] { machine, observer })
        {
            var received = (await session.Deliveries.ReadAsync().InTime()).Event;
            Assert.NotEqual(0, received.Timestamp);
            expected.Timestamp = expected.Timestamp == 0 ? received.Timestamp : expected.Timestamp;
            Assert.True(expected.Equals(received), $"{what}: {expected} and {received}");
        }
    }

    [Fact]
    public async Task Publish_AnUnusualPublication_ReachesItsLastAudience()
    {
        await using var machine = await OpenMachineAsync("m");
        await using var observer = OpenSession();
        await SubscribeAsync(observer, new Subscription { Number = 1, Group = "last" });
        await SubscribeAsync(observer, new Subscription { Number = 2, StateChanges = "s" });
        using var sender = Connect().CreateCallInvoker().AsyncDuplexStreamingCall(Session, null, default);
        byte[] publication =
        [
            .. new Publication { All = new AllMachines() }.ToByteArray(),
            .. new Publication { Event = new Event { Name = "E", Source = "s" } }.ToByteArray(),
            .. new Publication { Event = new Event { StateChange = new StateChange { NewState = "n" } } }.ToByteArray(),
            .. new Publication { Group = "last" }.ToByteArray(),
        ];

        // commands = { number = 1, publish = the publication }
        await sender.RequestStream.WriteAsync(Field(1, [0x08, 0x01, .. Field(5, publication)])).InTime();

        for (var number = 1u; number <= 2; number++)
        {
            var delivery = await observer.Deliveries.ReadAsync().InTime();
            var received = delivery.Event;
            Assert.Equal(number, delivery.Subscription);
            Assert.Equal(
                ("E", "s", "n", "last"),
                (received.Name, received.Source, received.StateChange.NewState, received.Group));
        }

        // It is the first that the machine gets.
        await observer.SendAsync(Send("m", "AFTER")).InTime();
        Assert.Equal("AFTER", (await machine.Deliveries.ReadAsync().InTime()).Event.Name);
    }

    [Fact]
    public async Task Send_WhatOnlyTheHubMaySet_IsRefusedOrReplaced()
    {
        await using var machine = await OpenMachineAsync("m");
        await using var sender = OpenSession();
        var forged = new Event { Name = "E", Target = "m", Group = "forged", Sender = 7, Sequence = 1 };
        var ofMachines = forged.Clone();
        ofMachines.MachineChange = new MachineChange { Kind = MachineChangeKind.Lost };
        var published = new Event { Name = "P", Group = "forged" };

        var refused = await sender.ExecuteAsync(new SessionCommand { Send = ofMachines }).InTime();
        await sender.ExecuteAsync(new SessionCommand { Send = forged }).InTime();
        await sender.ExecuteAsync(
            new SessionCommand { Publish = new Publication { Event = published, All = new AllMachines() } }).InTime();

        Assert.Equal((int)StatusCode.InvalidArgument, refused.StatusCode);
        Assert.Contains("Only the hub may send such an event", refused.Message, StringComparison.Ordinal);
        var received = (await machine.Deliveries.ReadAsync().InTime()).Event;
        Assert.Equal(("E", "", 1ul), (received.Name, received.Group, received.Sequence));
        Assert.NotEqual(7ul, received.Sender);
        Assert.NotEqual(0ul, received.Sender);
        received = (await machine.Deliveries.ReadAsync().InTime()).Event;
        Assert.Equal(("P", "", 0ul), (received.Name, received.Group, received.Sender));
    }

    [Fact]
    public async Task Reply_WithWhatOnlyTheHubMaySet_ArrivesWithoutIt()
    {
        await using var machine = await OpenMachineAsync("m");
        await using var asking = OpenSession();
        foreach (var change in new[] { null, new MachineChange { Kind = MachineChangeKind.Lost } })
        {
            var answered = asking.ExecuteAsync(new SessionCommand
            {
                Send = new Event { Name = "ASK", Target = "m" }, Acknowledgement = AcknowledgementLevel.Replied,
            });
            var delivery = await machine.Deliveries.ReadAsync().InTime();

            await machine.SendAsync(new SessionCommand
            {
                Acknowledge = new Acknowledgement
                {
                    Subscription = 1,
                    Number = delivery.Number,
                    NewState = "idle",
                    Reply = new Event
                    {
                        Name = "R", Source = "m", Group = "forged", Sender = 7, MachineChange = change,
                    },
                },
            }).InTime();

            var outcome = await answered.InTime();
            Assert.Equal((0, "idle"), (outcome.StatusCode, outcome.NewState));
            Assert.NotEqual(7ul, outcome.Reply.Sender);
            outcome.Reply.Sender = 0;
            Assert.Equal(new Event { Name = "R", Source = "m" }, outcome.Reply);
        }
    }

    [Fact]
    public async Task Send_FieldsThatComeTwice_CountOnceForTheSize()
    {
        await using var machine = await OpenMachineAsync("m");
        using var sender = Connect().CreateCallInvoker().AsyncDuplexStreamingCall(Session, null, default);
        var half = new Event { Payload = ByteString.CopyFrom(new byte[MaxEventSize / 2]) }.ToByteArray();
        byte[] encoded = [.. half, .. half, .. half, .. new Event { Name = "E", Target = "m" }.ToByteArray()];

        await sender.RequestStream.WriteAsync(Field(1, Field(4, encoded))).InTime();

        var received = (await machine.Deliveries.ReadAsync().InTime()).Event;
        Assert.Equal(MaxEventSize / 2, received.Payload.Length);
    }
}
