using Google.Protobuf;
using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Processes;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>
/// What nobody should send, sent to a hub in another process, which is the same one for all of these tests.
/// </summary>
public abstract class HostileInputTests : HubTest
{
    private readonly HubProcess _hub;

    private protected HostileInputTests(HubProcess hub) => _hub = hub;

    internal override string Address => _hub.Address;

    private protected override Task<HubServer?> StartHubAsync(string socket) => Task.FromResult<HubServer?>(null);

    public static TheoryData<Event> BadEvents { get; } =
    [
        new Event { Name = "E", Target = "" },
        new Event { Name = "", Target = "m" },
        new Event { Name = "E", Target = new string('x', 64 * 1024) },
        new Event { Name = "E", Target = "m", Source = new string('x', 64 * 1024) },
        new Event { Name = "E", Target = "m", Id = new string('\u20ac', 100) },
        new Event { Name = new string('x', 64 * 1024), Target = "m" },
        new Event { Name = "E\e[2J", Target = "m" },
        new Event { Name = "E", Target = "m\n" },
        new Event { Name = "E", Target = "m", Source = "evil\u202Egro" },
        new Event { Name = "E", Target = "m", Id = "\u2028" },
    ];

    public static TheoryData<Subscription> BadSubscriptions { get; } =
    [
        new Subscription { Number = 9 },
        new Subscription { Number = 9, Inbox = "" },
        new Subscription { Number = 9, Inbox = new string('x', 64 * 1024) },
        new Subscription { Number = 9, Group = "" },
        new Subscription { Number = 9, Group = "g\u0007" },
        new Subscription { Number = 9, StateChanges = new string('*', 64 * 1024) },
        new Subscription { Number = 9, Pattern = new EventPattern { Name = new string('*', 64 * 1024) } },
        new Subscription
        {
            Number = 9, All = new AllEvents(), Mailbox = new MailboxSettings { OverflowPolicy = (OverflowPolicy)99 },
        },
        new Subscription
        {
            Number = 9, All = new AllEvents(), Mailbox = new MailboxSettings { OverflowPolicy = (OverflowPolicy)(-1) },
        },
        new Subscription
        {
            Number = 9, All = new AllEvents(), Mailbox = new MailboxSettings { Capacity = uint.MaxValue },
        },
        new Subscription { Number = 0, All = new AllEvents() },
        new Subscription { Number = 1, All = new AllEvents() },
    ];

    [Theory]
    [MemberData(nameof(BadEvents))]
    public async Task Send_BadEvent_IsInvalid(Event bad)
    {
        await using var session = await OpenMachineAsync("m");

        var outcome = await session.ExecuteAsync(new SessionCommand { Send = bad }).InTime();
        await FailsAsync(Client.SendAsync(new SendRequest { Event = bad }), StatusCode.InvalidArgument);

        Assert.Equal((int)StatusCode.InvalidArgument, outcome.StatusCode);
        await AssertWorksAsync();
    }

    [Theory]
    [MemberData(nameof(BadSubscriptions))]
    public async Task Subscribe_BadSubscription_IsInvalid(Subscription bad)
    {
        await using var session = await OpenMachineAsync("m");

        var outcome = await session.ExecuteAsync(new SessionCommand { Subscribe = bad }).InTime();

        Assert.Equal((int)StatusCode.InvalidArgument, outcome.StatusCode);
        await AssertWorksAsync();
    }

    [Theory]
    [InlineData(99)]
    [InlineData(-1)]
    public async Task Send_UnknownAcknowledgementLevel_IsInvalid(int level)
    {
        await using var session = await OpenMachineAsync("m");
        var command = Send("m");
        command.Acknowledgement = (AcknowledgementLevel)level;

        var outcome = await session.ExecuteAsync(command).InTime();
        await FailsAsync(
            Client.SendAsync(new SendRequest { Event = NewEvent("m"), Acknowledgement = (AcknowledgementLevel)level }),
            StatusCode.InvalidArgument);

        Assert.Equal((int)StatusCode.InvalidArgument, outcome.StatusCode);
    }

    [Fact]
    public async Task Session_PartsThatAreNoMessage_EndItAlone()
    {
        await using var session = await OpenMachineAsync("m");
        var part = ByteString.CopyFrom(0xFF, 0xFF, 0xFF);

        await session.SendRawAsync(new SessionRequest { Part = part, PartFollows = true }).InTime();
        await session.SendRawAsync(new SessionRequest { Part = part }).InTime();

        Assert.Equal((int)StatusCode.InvalidArgument, (await session.Closing.InTime()).StatusCode);
        await AssertWorksAsync();
    }

    [Fact]
    public async Task Session_PartsOfAMessageThatIsAPart_EndItAlone()
    {
        await using var session = await OpenMachineAsync("m");
        var message = new SessionRequest { Part = new SessionRequest { Commands = { Send("m") } }.ToByteString() };

        await session.SendRawAsync(new SessionRequest { Part = message.ToByteString() }).InTime();

        Assert.Equal((int)StatusCode.InvalidArgument, (await session.Closing.InTime()).StatusCode);
        await AssertWorksAsync();
    }

    [Fact]
    public async Task Send_LargerThanTheHubTakes_IsRefused()
    {
        await using var session = await OpenMachineAsync("m");
        var command = Send("m");
        command.Send.Payload = ByteString.CopyFrom(new byte[3 * 1024 * 1024]);

        var outcome = await session.ExecuteAsync(command).InTime();

        Assert.Equal((int)StatusCode.ResourceExhausted, outcome.StatusCode);
    }

    [Fact]
    public async Task Session_EmptyCommand_IsUnimplemented()
    {
        await using var session = OpenSession();

        var outcome = await session.ExecuteAsync(new SessionCommand()).InTime();

        Assert.Equal((int)StatusCode.Unimplemented, outcome.StatusCode);
    }

    [Fact]
    public async Task Session_NumbersThatDoNotCountUp_EndIt()
    {
        await using var session = OpenSession();
        var command = new SessionCommand { Number = 5, Register = new Registration { MachineId = "x" } };

        await session.SendRawAsync(new SessionRequest { Commands = { command, command } }).InTime();

        var ended = Assert.IsType<RpcException>(await session.Ended.InTime());
        Assert.Equal(StatusCode.InvalidArgument, ended.StatusCode);
        await AssertWorksAsync();
    }

    [Fact]
    public async Task Session_AcknowledgementsThatNobodyWaitsFor_AreIgnored()
    {
        await using var session = await OpenMachineAsync("m");

        await session.SendAsync(
            new SessionCommand { Acknowledge = new Acknowledgement { Subscription = 77, Number = 1 } },
            new SessionCommand { Acknowledge = new Acknowledgement { Subscription = 1, Number = ulong.MaxValue } })
            .InTime();
        await session.CompletedAsync().InTime();

        Assert.Empty(session.Failures);
    }

    [Fact]
    public async Task Session_InvalidUtf8_EndsOnlyThatSession()
    {
        var method = new Method<byte[], byte[]>(
            MethodType.DuplexStreaming,
            "xstatenet.events.v1.EventBus",
            "Session",
            Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes),
            Marshallers.Create<byte[]>(bytes => bytes, bytes => bytes));
        await using var other = await OpenMachineAsync("other");
        using var call = Connect().CreateCallInvoker().AsyncDuplexStreamingCall(method, null, default);

        // commands = { unregister = a byte that no UTF-8 has }
        await call.RequestStream.WriteAsync([0x0a, 0x03, 0x42, 0x01, 0xff]).InTime();
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None).InTime())
            {
            }
        });

        await AssertWorksAsync();
        Assert.False(other.Ended.IsCompleted);
    }

    [Fact]
    public async Task Subscribe_AndNeverRead_CostsABoundedAmountAndDelaysNobody()
    {
        const int many = 400;
        var payload = ByteString.CopyFrom(new byte[64 * 1024]);
        using var deaf = Client.Subscribe(new SubscribeRequest
        {
            Subscription = new Subscription
            {
                Inbox = "deaf",
                Mailbox = new MailboxSettings { Capacity = 16, OverflowPolicy = OverflowPolicy.DropOldest },
            },
        });
        Assert.True(await deaf.ResponseStream.MoveNext(CancellationToken.None).InTime());
        var before = await Client.GetHealthAsync(new GetHealthRequest()).ResponseAsync.InTime();

        for (var i = 0; i < many; i++)
        {
            var large = new Event { Name = "LARGE", Target = "deaf", Payload = payload };
            await Client.SendAsync(new SendRequest { Event = large }).ResponseAsync.InTime();
        }

        await AssertWorksAsync();
        var after = await Client.GetHealthAsync(new GetHealthRequest()).ResponseAsync.InTime();
        Assert.InRange(after.EventsDropped - before.EventsDropped, 1ul, (ulong)many);
    }

    [Fact]
    public async Task Session_SendsAndNeverReadsItsOutcomes_IsEnded()
    {
        using var call = Client.Session();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.Equal(1u, await CountSessionsAsync());

        // It goes on writing until nobody takes it any more.
        var writing = Task.Run(async () =>
        {
            for (ulong number = 1; ;)
            {
                var request = new SessionRequest();
                for (var i = 0; i < 1000; i++)
                {
                    request.Commands.Add(
                        new SessionCommand { Number = number++, Send = NewEvent("nobody-" + new string('x', 200)) });
                }

                await call.RequestStream.WriteAsync(request);
            }
        });

        var client = Client;
        await TimeLimit.UntilAsync(
            async () => (await client.GetHealthAsync(new GetHealthRequest())).Sessions == 0);

        call.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => writing.InTime());
        await AssertWorksAsync();
    }

    private async Task<uint> CountSessionsAsync() =>
        (await Client.GetHealthAsync(new GetHealthRequest()).ResponseAsync.InTime()).Sessions;

    private async Task AssertWorksAsync()
    {
        await using var session = await OpenMachineAsync("still-works");
        await session.SendAsync(Send("still-works")).InTime();
        await session.Deliveries.ReadAsync().InTime();
    }
}
