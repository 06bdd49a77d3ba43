using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using Microsoft.AspNetCore.Builder;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>What an event says of where it comes from, and what belongs to whom, with two users.</summary>
public sealed class OriginTests : HubTest
{
    private const string Alice = "alice";
    private const string Bob = "bob";

    protected override void Build(WebApplicationBuilder builder) => UserHeader.AddTo(builder);

    [Fact]
    public async Task Send_AsAMachineOfAnotherUser_IsRefusedInEachWay()
    {
        await using var alice = await OpenMachineOfAsync(Alice, "a");
        await using var bob = await OpenMachineOfAsync(Bob, "b");
        var forged = new Event { Name = "E", Source = "a", Target = "b" };
        var published = new Event { Name = "E", Source = "a" };

        var sent = await bob.ExecuteAsync(new SessionCommand { Send = forged }).InTime();
        var told = await bob.ExecuteAsync(
            new SessionCommand { Publish = new Publication { Event = published, All = new AllMachines() } }).InTime();
        await FailsAsync(
            Client.SendAsync(new SendRequest { Event = forged }, UserHeader.For(Bob)), StatusCode.PermissionDenied);
        await FailsAsync(
            Client.AskAsync(new AskRequest { Event = forged }, UserHeader.For(Bob)), StatusCode.PermissionDenied);
        await FailsAsync(
            Client.PublishAsync(
                new PublishRequest { Publication = new Publication { Event = published, All = new AllMachines() } },
                UserHeader.For(Bob)),
            StatusCode.PermissionDenied);
        using var many = Client.SendMany(UserHeader.For(Bob));
        await many.RequestStream.WriteAsync(new SendManyRequest { Events = { forged } }).InTime();
        await many.RequestStream.CompleteAsync().InTime();

        Assert.Equal((int)StatusCode.PermissionDenied, sent.StatusCode);
        Assert.Equal("a", sent.MachineId);
        Assert.Equal((int)StatusCode.PermissionDenied, told.StatusCode);
        Assert.Equal(
            (int)StatusCode.PermissionDenied, Assert.Single((await many.ResponseAsync.InTime()).Failures).StatusCode);
        Assert.Equal(0, (await alice.ExecuteAsync(new SessionCommand { Send = forged.Clone() }).InTime()).StatusCode);
        Assert.Equal("a", (await bob.Deliveries.ReadAsync().InTime()).Event.Source);
    }

    [Fact]
    public async Task Send_AsNobody_OrAsWhoIsNotRegistered_Arrives()
    {
        await using var alice = await OpenMachineOfAsync(Alice, "a");
        await using var bob = OpenSessionOf(Bob);

        await bob.SendAsync(
            new SessionCommand { Send = new Event { Name = "1", Target = "a" } },
            new SessionCommand { Send = new Event { Name = "2", Source = "nobody", Target = "a" } }).InTime();

        Assert.Equal("1", (await alice.Deliveries.ReadAsync().InTime()).Event.Name);
        Assert.Equal("2", (await alice.Deliveries.ReadAsync().InTime()).Event.Name);
    }

    [Fact]
    public async Task Send_ByACallOfItsOwn_CarriesNoSender()
    {
        await using var alice = await OpenMachineOfAsync(Alice, "a");
        var claimed = new Event { Name = "E", Target = "a", Sender = 7, Sequence = ulong.MaxValue };

        await Client.SendAsync(new SendRequest { Event = claimed }).ResponseAsync.InTime();
        await Client.SendAsync(new SendRequest { Event = claimed }).ResponseAsync.InTime();

        for (var i = 0; i < 2; i++)
        {
            var received = (await alice.Deliveries.ReadAsync().InTime()).Event;
            Assert.Equal((0ul, ulong.MaxValue), (received.Sender, received.Sequence));
        }
    }

    [Fact]
    public async Task Reply_AsAMachineOfAnotherUser_IsRefusedForWhoeverAsked()
    {
        await using var alice = await OpenMachineOfAsync(Alice, "a");
        await using var bob = await OpenMachineOfAsync(Bob, "b");
        var asking = Client.AskAsync(new AskRequest { Event = new Event { Name = "ASK", Target = "b" } });
        var delivery = await bob.Deliveries.ReadAsync().InTime();

        await bob.SendAsync(new SessionCommand
        {
            Acknowledge = new Acknowledgement
            {
                Subscription =
                    1, Number = delivery.Number, Reply = new Event { Name = "FORGED", Source = "a", Sender = 7 },
            },
        }).InTime();

        await FailsAsync(asking, StatusCode.PermissionDenied);
    }

    [Fact]
    public async Task Open_WithTheInstanceOfAnotherUser_ReplacesNothing()
    {
        await using var alice = await OpenMachineOfAsync(Alice, "a");
        await using var bob = OpenSessionOf(Bob);
        await bob.ExecuteAsync(new SessionCommand { Open = new OpenSession { InstanceId = Alice } }).InTime();

        var registered =
            await bob.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "a" } }).InTime();
        var unregistered = await bob.ExecuteAsync(new SessionCommand { Unregister = "a" }).InTime();
        await FailsAsync(
            Client.UnregisterMachinesAsync(
                new UnregisterMachinesRequest { InstanceId = Alice, MachineIds = { "a" } }, UserHeader.For(Bob)),
            StatusCode.PermissionDenied);
        await FailsAsync(
            Client.RegisterMachinesAsync(
                new RegisterMachinesRequest
                {
                    InstanceId = Alice, Registrations = { new Registration { MachineId = "a" } },
                },
                UserHeader.For(Bob)),
            StatusCode.AlreadyExists);

        Assert.Equal((int)StatusCode.AlreadyExists, registered.StatusCode);
        Assert.Equal((int)StatusCode.PermissionDenied, unregistered.StatusCode);
        var own = new SessionCommand { Send = new Event { Name = "E", Source = "a", Target = "a" } };
        Assert.Equal(0, (await alice.ExecuteAsync(own).InTime()).StatusCode);
        Assert.False(alice.Ended.IsCompleted);
    }

    [Fact]
    public async Task Open_ByUsersWithoutAName_TakesNoneForTheOther()
    {
        await using var first = await OpenMachineOfAsync(UserHeader.Nameless, "a");
        await using var second = OpenSessionOf(UserHeader.Nameless);
        await second.ExecuteAsync(
            new SessionCommand { Open = new OpenSession { InstanceId = UserHeader.Nameless } }).InTime();

        var forged = await second.ExecuteAsync(
            new SessionCommand { Send = new Event { Name = "E", Source = "a", Target = "a" } }).InTime();

        Assert.Equal((int)StatusCode.PermissionDenied, forged.StatusCode);
        var own = new SessionCommand { Send = new Event { Name = "E", Source = "a", Target = "a" } };
        Assert.Equal(0, (await first.ExecuteAsync(own).InTime()).StatusCode);
    }

    [Fact]
    public async Task Subscribe_ToAnInboxThatAnotherUserRegistered_IsRefused()
    {
        await Client.RegisterMachinesAsync(
            new RegisterMachinesRequest { InstanceId = "p", Registrations = { new Registration { MachineId = "a" } } },
            UserHeader.For(Alice)).ResponseAsync.InTime();
        var request = new SubscribeRequest { InstanceId = "p", Subscription = new Subscription { Inbox = "a" } };

        using var stolen = Client.Subscribe(request, UserHeader.For(Bob));
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => stolen.ResponseStream.MoveNext(CancellationToken.None).InTime());
        using var own = Client.Subscribe(request, UserHeader.For(Alice));

        Assert.Equal(StatusCode.AlreadyExists, refused.StatusCode);
        Assert.True(await own.ResponseStream.MoveNext(CancellationToken.None).InTime());
    }

    // The instance is called like the user, which is easy to guess.
    private async Task<SessionClient> OpenMachineOfAsync(string user, string machineId)
    {
        var session = OpenSessionOf(user);
        await session.ExecuteAsync(new SessionCommand { Open = new OpenSession { InstanceId = user } }).InTime();
        await SubscribeAsync(session, new Subscription { Number = 1, Inbox = machineId });
        return session;
    }
}
