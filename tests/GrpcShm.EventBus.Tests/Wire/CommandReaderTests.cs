using Google.Protobuf;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;
using Case = XStateNet.Events.V1.SessionCommand.CommandOneofCase;
using static GrpcShm.EventBus.Tests.Wire.EncodedFields;

namespace GrpcShm.EventBus.Tests.Wire;

/// <summary>Which requests of a session are read without the generated parser, and what is read.</summary>
public sealed class CommandReaderTests
{
    private static readonly Event Sent = new()
    {
        Id = "i", Name = "E", Source = "s", Target = "t", Payload = ByteString.CopyFromUtf8("p"), Timestamp = 1,
    };

    private static readonly HandlerWait Wait = new() { Number = 3, MachineId = "s", AwaitedMachineId = "t" };

    /// <summary>Commands that have to be read without the generated parser, since clients give them often.</summary>
    public static TheoryData<SessionCommand> OftenGiven { get; } =
    [
        new SessionCommand { Number = 300, Send = Sent },
        new SessionCommand { Send = new Event() },
        new SessionCommand
        {
            Number = ulong.MaxValue,
            Acknowledgement = AcknowledgementLevel.Replied,
            TimeoutMilliseconds = uint.MaxValue,
            Send = Sent,
            Waiting = Wait,
        },
        new SessionCommand { Number = 1, Acknowledgement = (AcknowledgementLevel)(-1), Send = Sent },
        new SessionCommand { Publish = new Publication { Event = Sent, All = new AllMachines() } },
        new SessionCommand { Publish = new Publication { Event = Sent, Group = "größe", ExcludeSource = true } },
        new SessionCommand { Publish = new Publication { Event = Sent, Group = "" } },
        new SessionCommand { Publish = new Publication { Event = Sent, MachinePattern = "m*" } },
        new SessionCommand { Publish = new Publication { Observers = new Observers() } },
        new SessionCommand { Publish = new Publication() },
        new SessionCommand
        {
            Acknowledge = new Acknowledgement { Subscription = 1, Number = 2, NewState = "idle", Reply = Sent },
        },
        new SessionCommand { Acknowledge = new Acknowledgement { StatusCode = -1, Message = "ü" } },
        new SessionCommand { Grant = new Credit { Subscription = uint.MaxValue, Deliveries = 7 } },
    ];

    /// <summary>Requests that only the generated parser takes.</summary>
    public static TheoryData<SessionRequest> LeftToTheParser { get; } =
    [
        new SessionRequest { Commands = { new SessionCommand() } },
        new SessionRequest { Commands = { new SessionCommand { Open = new OpenSession() } } },
        new SessionRequest { Commands = { new SessionCommand { EndWait = 7 } } },
        new SessionRequest { Commands = { new SessionCommand { BeginWait = Wait } } },
        new SessionRequest { Commands = { new SessionCommand { RequestRoute = new RouteRequest() } } },
        new SessionRequest { Commands = { new SessionCommand { LaneFailed = new LaneFailure() } } },
        new SessionRequest { Part = ByteString.CopyFrom(1), PartFollows = true },
        new SessionRequest { PartFollows = true },
        new SessionRequest
        {
            Commands = { new SessionCommand { Send = new Event { MachineChange = new MachineChange() } } },
        },
    ];

    /// <summary>Requests that no parser takes, in hexadecimal.</summary>
    public static TheoryData<string> Malformed { get; } =
    [
        "0A032201", // A command that is longer than the request.
        "0A0322021241", // An event that is longer than its command.
        "0A052203120141FF", // A tag that does not end.
        "0A0522031201FF", // A name that is no UTF-8.
        "0A055A032A01FF", // A state that is no UTF-8.
        "0A052A031A01FF", // A group that is no UTF-8.
    ];

    [Theory]
    [MemberData(nameof(OftenGiven))]
    public void Read_CommandsThatAreGivenOften_AreWhatTheParserMakes(SessionCommand expected)
    {
        var request = new SessionRequest { Commands = { expected, expected } };

        List<HubCommand> commands = [];
        Assert.True(CommandReader.TryRead(request.ToByteArray(), commands));

        Assert.Equal(2, commands.Count);
        Assert.Equal(expected, ToMessage(commands[0]));
        Assert.Equal(expected, ToMessage(commands[1]));
    }

    [Theory]
    [MemberData(nameof(LeftToTheParser))]
    public void Parse_OtherRequests_AreWhatTheParserMakes(SessionRequest expected)
    {
        var bytes = expected.ToByteArray();

        Assert.False(CommandReader.TryRead(bytes, []));
        var request = HubSessionRequest.Parse(bytes);

        Assert.Equal((expected.Part, expected.PartFollows), (request.Part, request.PartFollows));
        Assert.Equal(expected.Commands, request.Commands.Select(ToMessage));
    }

    [Fact]
    public void Parse_AMessageThatComesTwice_IsOneOfBoth()
    {
        byte[] twice =
        [
            .. Field(4, new Event { Name = "E", Target = "a" }.ToByteArray()),
            .. Field(4, new Event { Target = "b" }.ToByteArray()),
        ];
        var bytes = Field(1, twice);

        Assert.False(CommandReader.TryRead(bytes, []));
        var command = Assert.Single(HubSessionRequest.Parse(bytes).Commands);

        Assert.Equal(("E", "b"), (command.Event!.Name, command.Event.Target));
    }

    [Fact]
    public void Parse_TwoKindsInOneCommand_TheLastOneHolds()
    {
        byte[] both = [.. Field(4, Sent.ToByteArray()), .. Field(12, new Credit { Deliveries = 3 }.ToByteArray())];

        var command = Assert.Single(HubSessionRequest.Parse(Field(1, both)).Commands);

        Assert.Equal(Case.Grant, command.Case);
        Assert.Equal(3u, command.Credit.Deliveries);
    }

    [Fact]
    public void Read_FieldsThatTheContractDoesNotHave_AreSkipped()
    {
        byte[] command =
        [
            .. new SessionCommand { Number = 1, Send = Sent }.ToByteArray(), .. Field(99, [1]), 0x88, 0x07, 0x05,
        ];
        byte[] request = [.. Field(1, command), .. Field(98, [2])];

        List<HubCommand> commands = [];
        Assert.True(CommandReader.TryRead(request, commands));

        Assert.Equal(new SessionCommand { Number = 1, Send = Sent }, ToMessage(Assert.Single(commands)));
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Parse_Malformed_IsRefusedAsTheParserDoes(string hexadecimal)
    {
        var bytes = Convert.FromHexString(hexadecimal);

        var expected =
            Assert.Throws<InvalidProtocolBufferException>(() => SessionRequest.Parser.ParseFrom(bytes));

        Assert.Equal(
            expected.Message,
            Assert.Throws<InvalidProtocolBufferException>(() => HubSessionRequest.Parse(bytes)).Message);
    }

    [Fact]
    public void Read_AnEventToSend_MakesNoMessageOfIt()
    {
        var request = new SessionRequest { Commands = { new SessionCommand { Send = Sent } } };

        Assert.IsType<ReceivedEvent>(HubSessionRequest.Parse(request.ToByteArray()).Commands[0].Event);
    }

    private static SessionCommand ToMessage(HubCommand command)
    {
        var @event = command.Event?.ToMessage();
        var message = new SessionCommand { Number = command.Number };
        switch (command.Case)
        {
            case Case.Send:
                message.Acknowledgement = command.Level;
                message.TimeoutMilliseconds = command.TimeoutMilliseconds;
                message.Waiting = command.Waiting;
                message.Send = @event;
                return message;
            case Case.Publish:
                message.Publish = command.Publication.Clone();
                message.Publish.Event = @event;
                return message;
            case Case.Acknowledge:
                message.Acknowledge = command.Acknowledgement.Clone();
                message.Acknowledge.Reply = @event;
                return message;
            case Case.Grant:
                message.Grant = command.Credit;
                return message;
            default:
                return command.Other;
        }
    }
}
