using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

public sealed class SessionTests : HubTest
{
    [Fact]
    public async Task Session_WhenOpened_SaysItsLimitsFirst()
    {
        await using var session = OpenSession();

        var opened = await session.Opened.InTime();

        Assert.NotEmpty(opened.SessionId);
        Assert.Equal(256u, opened.MaxIdLength);
        Assert.Equal(65_536u, opened.MaxMailboxCapacity);
    }

    [Fact]
    public async Task Send_ToASubscribedMachine_ArrivesUnchanged()
    {
        await using var session = await OpenMachineAsync("m");
        var sent = new Event
        {
            Id = "id-1",
            Name = "GO",
            Source = "s",
            Target = "m",
            Payload = Google.Protobuf.ByteString.CopyFrom(1, 2, 3),
            ContentType = "application/octet-stream",
            TypeName = "T",
            Headers = { new Header { Name = "k", Value = "v" } },
            Timestamp = 17_000_000_000_000_001,
            Version = 7,
            CorrelationId = "c",
            CausationId = "d",
            StateChange = new StateChange { OldState = "a", NewState = "b", Transition = "t", Duration = 1 },
        };

        await session.SendAsync(new SessionCommand { Send = sent }).InTime();

        var delivery = await session.Deliveries.ReadAsync().InTime();
        Assert.Equal(1u, delivery.Subscription);
        Assert.Equal(sent, delivery.Event);
    }

    [Fact]
    public async Task Send_WithoutATimestamp_IsStamped()
    {
        await using var session = await OpenMachineAsync("m");

        await session.SendAsync(Send("m")).InTime();

        var delivery = await session.Deliveries.ReadAsync().InTime();
        var stamped = DateTime.UnixEpoch.AddTicks(delivery.Event.Timestamp);
        Assert.InRange(stamped, DateTime.UtcNow.AddMinutes(-1), DateTime.UtcNow.AddMinutes(1));
    }

    [Fact]
    public async Task Send_TenThousandInBatches_ArriveInOrder()
    {
        await using var receiver = await OpenMachineAsync("m");
        await using var sender = OpenSession();

        var sending = Task.Run(async () =>
        {
            for (uint first = 0; first < 10_000; first += 100)
            {
                var start = first;
                await sender.SendAsync(
                    [.. Enumerable.Range(0, 100).Select(i => Send("m", version: start + (uint)i))]).InTime();
            }
        });

        for (uint expected = 0; expected < 10_000; expected++)
        {
            var delivery = await receiver.Deliveries.ReadAsync().InTime();
            Assert.Equal(expected, delivery.Event.Version);
        }

        await sending.InTime();
        await sender.CompletedAsync().InTime();
        Assert.Empty(sender.Failures);
    }

    [Fact]
    public async Task Send_ToAnUnknownMachine_IsNotFoundAndNamesIt()
    {
        await using var session = OpenSession();

        var outcome = await session.ExecuteAsync(Send("nobody")).InTime();

        Assert.Equal((int)StatusCode.NotFound, outcome.StatusCode);
        Assert.Equal("nobody", outcome.MachineId);
        Assert.Contains("'nobody'", outcome.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Send_WithNumberZeroThatFails_IsAnsweredByTheEventsId()
    {
        await using var session = OpenSession();
        var command = Send("nobody");
        command.Send.Id = "event-7";

        await session.SendRawAsync(new SessionRequest { Commands = { command } }).InTime();
        await session.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "x" } }).InTime();

        var failure = Assert.Single(session.Failures);
        Assert.Equal(0ul, failure.Number);
        Assert.Equal("event-7", failure.EventId);
    }

    [Theory]
    [InlineData(256, true)]
    [InlineData(257, false)]
    [InlineData(1_000_000, false)]
    public async Task Send_ThatFails_TellsTheEventsIdUnlessItIsNone(int length, bool isTold)
    {
        await using var session = OpenSession();
        var command = Send("nobody");
        command.Send.Id = new string('i', length);
        var publish = new SessionCommand
        {
            Publish = new Publication { Event = new Event { Name = "E", Id = command.Send.Id, Target = "t" } },
        };
        using var call = Client.SendMany();
        await call.RequestStream.WriteAsync(new SendManyRequest { Events = { command.Send.Clone() } }).InTime();
        await call.RequestStream.CompleteAsync().InTime();

        var sent = await session.ExecuteAsync(command).InTime();
        var published = await session.ExecuteAsync(publish).InTime();
        var many = Assert.Single((await call.ResponseAsync.InTime()).Failures);

        Assert.All([sent, published, many], outcome => Assert.NotEqual(0, outcome.StatusCode));
        Assert.All([sent, published, many], outcome => Assert.Equal(isTold ? command.Send.Id : "", outcome.EventId));
    }

    [Fact]
    public async Task Send_BetweenRegistrationAndSubscription_WaitsForTheSubscription()
    {
        await using var owner = OpenSession();
        await using var sender = OpenSession();
        await owner.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "m" } }).InTime();

        for (uint number = 0; number < 10; number++)
        {
            Assert.Equal(0, (await sender.ExecuteAsync(Send("m", version: number)).InTime()).StatusCode);
        }

        await SubscribeAsync(owner, new Subscription { Number = 1, Inbox = "m" });
        for (uint expected = 0; expected < 10; expected++)
        {
            Assert.Equal(expected, (await owner.Deliveries.ReadAsync().InTime()).Event.Version);
        }
    }

    [Fact]
    public async Task Register_IdOfALiveSession_IsRefused()
    {
        await using var first = await OpenMachineAsync("m");
        await using var second = OpenSession();

        var registered =
            await second.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "m" } }).InTime();
        var subscribed = await second.ExecuteAsync(
            new SessionCommand { Subscribe = new Subscription { Number = 1, Inbox = "m" } }).InTime();

        Assert.Equal((int)StatusCode.AlreadyExists, registered.StatusCode);
        Assert.Equal((int)StatusCode.AlreadyExists, subscribed.StatusCode);
        Assert.Equal("m", registered.MachineId);
    }

    [Fact]
    public async Task Open_WithTheInstanceOfAnotherSession_ReplacesIt()
    {
        await using var old = OpenSession();
        await old.ExecuteAsync(new SessionCommand { Open = new OpenSession { InstanceId = "process-1" } }).InTime();
        await SubscribeAsync(old, new Subscription { Number = 1, Inbox = "m" });
        await using var successor = OpenSession();

        await successor.ExecuteAsync(
            new SessionCommand { Open = new OpenSession { InstanceId = "process-1" } }).InTime();
        await SubscribeAsync(successor, new Subscription { Number = 1, Inbox = "m" });

        var ended = Assert.IsType<RpcException>(await old.Ended.InTime());
        Assert.Equal(StatusCode.Aborted, ended.StatusCode);
    }

    [Fact]
    public async Task Session_WhenItEnds_UnregistersItsMachines()
    {
        var session = await OpenMachineAsync("m");
        await session.DisposeAsync().InTime();

        await FailsAsync(Client.SendAsync(new SendRequest { Event = NewEvent("m") }), StatusCode.NotFound);
    }

    [Fact]
    public async Task Unregister_OwnMachine_EndsItsInboxAndFreesTheId()
    {
        await using var session = await OpenMachineAsync("m");

        var outcome = await session.ExecuteAsync(new SessionCommand { Unregister = "m" }).InTime();

        Assert.Equal(0, outcome.StatusCode);
        Assert.Equal((int)StatusCode.NotFound, (await session.ExecuteAsync(Send("m")).InTime()).StatusCode);
        await using var other = await OpenMachineAsync("m");
        await SubscribeAsync(session, new Subscription { Number = 1, Machine = "m" });
    }

    [Fact]
    public async Task Unsubscribe_Inbox_KeepsTheMachineAndItsEvents()
    {
        await using var session = await OpenMachineAsync("m");
        await session.ExecuteAsync(new SessionCommand { Unsubscribe = 1 }).InTime();

        Assert.Equal(0, (await session.ExecuteAsync(Send("m", version: 5)).InTime()).StatusCode);
        await SubscribeAsync(session, new Subscription { Number = 2, Inbox = "m" });

        var delivery = await session.Deliveries.ReadAsync().InTime();
        Assert.Equal(5u, delivery.Event.Version);
        Assert.Equal(2u, delivery.Subscription);
    }

    [Fact]
    public async Task Session_WhenTheHubStops_EndsWithUnavailable()
    {
        await using var session = await OpenMachineAsync("m");

        var stopping = Server.StopAsync();

        var ended = Assert.IsType<RpcException>(await session.Ended.InTime());
        Assert.Equal(StatusCode.Unavailable, ended.StatusCode);
        await stopping.InTime();
    }

    [Fact]
    public async Task Send_BetweenMachinesOfOneSession_Works()
    {
        await using var session = await OpenMachineAsync("a");
        await SubscribeAsync(session, new Subscription { Number = 2, Inbox = "b" });

        await session.SendAsync(Send("a", "TO-A"), Send("b", "TO-B")).InTime();

        var names = new[]
        {
            await NextAsync(session), await NextAsync(session),
        };
        Assert.Equal([(1u, "TO-A"), (2u, "TO-B")], names.Order());
    }

    private static async Task<(uint Subscription, string Name)> NextAsync(SessionClient session)
    {
        var delivery = await session.Deliveries.ReadAsync().InTime();
        return (delivery.Subscription, delivery.Event.Name);
    }
}
