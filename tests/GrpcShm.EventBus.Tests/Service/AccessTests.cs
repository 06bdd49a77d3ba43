using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using Microsoft.AspNetCore.Builder;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>Two users and a policy: Alice may do all, and Bob what the test says.</summary>
public class AccessTests : HubTest
{
    private protected const string Alice = "alice";
    private protected const string Bob = "bob";

    private volatile Func<EventBusAccess, bool> _bobMay = static _ => false;

    public static TheoryData<SessionCommand, EventBusAction, EventBusSubject, string> Commands { get; } = new()
    {
        {
            new() { Register = new Registration { MachineId = "b" } },
            EventBusAction.Register, EventBusSubject.Machine, "b"
        },
        {
            new() { Subscribe = new Subscription { Number = 9, Inbox = "b" } },
            EventBusAction.Register, EventBusSubject.Machine, "b"
        },
        {
            new() { Send = new Event { Name = "E", Target = "a" } },
            EventBusAction.SendTo, EventBusSubject.Machine, "a"
        },
        { Publishing(new Publication { All = new AllMachines() }), EventBusAction.PublishTo, EventBusSubject.All, "" },
        { Publishing(new Publication { Group = "g" }), EventBusAction.PublishTo, EventBusSubject.Group, "g" },
        {
            Publishing(new Publication { MachinePattern = "?" }),
            EventBusAction.PublishTo, EventBusSubject.MachinePattern, "?"
        },
        {
            Publishing(new Publication { Observers = new Observers() }),
            EventBusAction.PublishTo, EventBusSubject.Observers, ""
        },
        { Subscribing(new Subscription { Machine = "a" }), EventBusAction.Observe, EventBusSubject.Machine, "a" },
        { Subscribing(new Subscription { Group = "g" }), EventBusAction.Observe, EventBusSubject.Group, "g" },
        {
            Subscribing(new Subscription { StateChanges = "*" }),
            EventBusAction.Observe, EventBusSubject.MachinePattern, "*"
        },
        { Subscribing(new Subscription { All = new AllEvents() }), EventBusAction.Observe, EventBusSubject.All, "" },
        {
            Subscribing(new Subscription { Pattern = new EventPattern { Source = "x", Name = "N*" } }),
            EventBusAction.Observe, EventBusSubject.EventPattern, "x \u2192 *: N*"
        },
        {
            Subscribing(new Subscription { MachineChanges = "*" }),
            EventBusAction.List, EventBusSubject.MachinePattern, "*"
        },
    };

    protected override void Build(WebApplicationBuilder builder) => UserHeader.AddTo(builder);

    protected override void Configure(EventBusOptions options)
    {
        options.Authorize = Decide;
        options.AllowBlockingObservers = true;
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Execute_WhatThePolicyForbids_IsDenied_AndAllowedIsCarriedOut(
        SessionCommand command, EventBusAction action, EventBusSubject subject, string name)
    {
        await using var alice = await OpenMachineOfAsync(Alice, "a");
        await using var bob = OpenSessionOf(Bob);

        var denied = await bob.ExecuteAsync(command.Clone()).InTime();
        _bobMay = access => access.Action == action && access.Subject == subject && access.Name == name;
        var allowed = await bob.ExecuteAsync(command.Clone()).InTime();

        Assert.Equal((int)StatusCode.PermissionDenied, denied.StatusCode);
        Assert.Contains($"{action}", denied.Message, StringComparison.Ordinal);
        Assert.Contains(Bob, denied.Message, StringComparison.Ordinal);
        Assert.Equal("", allowed.Message);
        Assert.Equal(0, allowed.StatusCode);
        Assert.Equal(0, (await alice.ExecuteAsync(new SessionCommand { Send = NewEvent("a") }).InTime()).StatusCode);
    }

    [Fact]
    public async Task Register_IntoAGroup_AsksForTheGroup()
    {
        await using var bob = OpenSessionOf(Bob);
        var command = new SessionCommand { Register = new Registration { MachineId = "b", Groups = { "g" } } };

        _bobMay = static access => access.Action == EventBusAction.Register;
        var denied = await bob.ExecuteAsync(command.Clone()).InTime();
        _bobMay = static access =>
            access.Action == EventBusAction.Register || access is { Action: EventBusAction.JoinGroup, Name: "g" };
        var allowed = await bob.ExecuteAsync(command.Clone()).InTime();

        Assert.Equal((int)StatusCode.PermissionDenied, denied.StatusCode);
        Assert.Equal(0, allowed.StatusCode);
    }

    [Fact]
    public async Task Subscribe_ObserverThatBlocks_NeedsARightOfItsOwn()
    {
        await using var bob = OpenSessionOf(Bob);
        var subscription = new Subscription
        {
            All = new AllEvents(), Mailbox = new MailboxSettings { OverflowPolicy = OverflowPolicy.Block },
        };

        _bobMay = static access => access.Action == EventBusAction.Observe;
        var denied = await bob.ExecuteAsync(Subscribing(subscription.Clone())).InTime();
        _bobMay = static access => access.Action is EventBusAction.Observe or EventBusAction.HoldUpSenders;
        var allowed = await bob.ExecuteAsync(Subscribing(subscription.Clone())).InTime();

        Assert.Equal((int)StatusCode.PermissionDenied, denied.StatusCode);
        Assert.Contains($"{EventBusAction.HoldUpSenders}", denied.Message, StringComparison.Ordinal);
        Assert.Equal(0, allowed.StatusCode);
    }

    [Fact]
    public async Task Send_AsAnotherOrAsNobodysMachine_IsAskedFor_AndAsItsOwnIsNot()
    {
        await using var alice = await OpenMachineOfAsync(Alice, "a");
        _bobMay = static access => access.Action is EventBusAction.Register or EventBusAction.SendTo;
        await using var bob = await OpenMachineOfAsync(Bob, "b");

        var own = await bob.ExecuteAsync(Sending("b")).InTime();
        var nobodys = await bob.ExecuteAsync(Sending("nobody")).InTime();
        var others = await bob.ExecuteAsync(Sending("a")).InTime();
        _bobMay = static access => access.Action is EventBusAction.SendAs or EventBusAction.SendTo;
        var nobodysAllowed = await bob.ExecuteAsync(Sending("nobody")).InTime();
        var othersDenied = await bob.ExecuteAsync(Sending("a")).InTime();
        _bobMay = static access => access.Action is EventBusAction.SendAsOther or EventBusAction.SendTo;
        var othersAllowed = await bob.ExecuteAsync(Sending("a")).InTime();
        _bobMay = static access => access.Action is EventBusAction.SendTo;
        var othersDeniedAgain = await bob.ExecuteAsync(Sending("a")).InTime();

        Assert.Equal([0, 0, 0], [own.StatusCode, nobodysAllowed.StatusCode, othersAllowed.StatusCode]);
        Assert.All(
            [nobodys, others, othersDenied, othersDeniedAgain],
            outcome => Assert.Equal((int)StatusCode.PermissionDenied, outcome.StatusCode));
    }

    [Fact]
    public async Task Calls_ThatThePolicyForbids_AreDenied_AndAllowedAreCarriedOut()
    {
        await using var alice = await OpenMachineOfAsync(Alice, "a");
        var register =
            new RegisterMachinesRequest { InstanceId = "i", Registrations = { new Registration { MachineId = "b" } } };
        var publish = new PublishRequest
        {
            Publication = new Publication { Event = new Event { Name = "E" }, All = new AllMachines() },
        };
        var headers = UserHeader.For(Bob);

        await FailsAsync(
            Client.SendAsync(new SendRequest { Event = NewEvent("a") }, headers), StatusCode.PermissionDenied);
        await FailsAsync(
            Client.AskAsync(new AskRequest { Event = NewEvent("a") }, headers), StatusCode.PermissionDenied);
        await FailsAsync(Client.PublishAsync(publish, headers), StatusCode.PermissionDenied);
        await FailsAsync(Client.RegisterMachinesAsync(register, headers), StatusCode.PermissionDenied);
        await FailsAsync(Client.ListMachinesAsync(new ListMachinesRequest(), headers), StatusCode.PermissionDenied);
        using var observing = Client.Subscribe(
            new SubscribeRequest { Subscription = new Subscription { All = new AllEvents() } }, headers);
        var denied = await Assert.ThrowsAsync<RpcException>(
            () => observing.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.Equal(1ul, (await SendManyAsync(headers)).Failed);

        _bobMay = static _ => true;
        await Client.SendAsync(new SendRequest { Event = NewEvent("a") }, headers).ResponseAsync.InTime();
        await Client.PublishAsync(publish, headers).ResponseAsync.InTime();
        await Client.RegisterMachinesAsync(register, headers).ResponseAsync.InTime();
        var list = await Client.ListMachinesAsync(new ListMachinesRequest(), headers).ResponseAsync.InTime();
        Assert.Equal(2, list.Machines.Count);
        Assert.Equal(StatusCode.PermissionDenied, denied.StatusCode);
        Assert.Equal(1ul, (await SendManyAsync(headers)).Accepted);
    }

    [Fact]
    public async Task Execute_PolicyThatThrows_MeansNoAndEndsNothing()
    {
        await using var bob = OpenSessionOf(Bob);
        _bobMay = static _ => throw new InvalidOperationException("broken");

        var denied =
            await bob.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "b" } }).InTime();
        _bobMay = static _ => true;
        var allowed =
            await bob.ExecuteAsync(new SessionCommand { Register = new Registration { MachineId = "b" } }).InTime();

        Assert.Equal((int)StatusCode.PermissionDenied, denied.StatusCode);
        Assert.DoesNotContain("broken", denied.Message, StringComparison.Ordinal);
        Assert.Equal(0, allowed.StatusCode);
    }

    [Fact]
    public async Task Execute_NamesThatAreNotValid_NeverReachThePolicy()
    {
        var seen = 0;
        _bobMay = access =>
        {
            Interlocked.Increment(ref seen);
            return true;
        };
        await using var bob = OpenSessionOf(Bob);

        var target =
            await bob.ExecuteAsync(new SessionCommand { Send = new Event { Name = "E", Target = "m\e[2J" } }).InTime();
        var machine = await bob.ExecuteAsync(
            new SessionCommand { Register = new Registration { MachineId = new string('x', 64 * 1024) } }).InTime();

        Assert.Equal((int)StatusCode.InvalidArgument, target.StatusCode);
        Assert.Equal((int)StatusCode.InvalidArgument, machine.StatusCode);
        Assert.Equal(0, seen);
    }

    private protected bool Decide(EventBusAccess access) =>
        access.Peer.User.Identity?.Name != Bob || _bobMay(access);

    private static SessionCommand Publishing(Publication publication)
    {
        publication.Event = new Event { Name = "E" };
        return new SessionCommand { Publish = publication };
    }

    private static SessionCommand Subscribing(Subscription subscription)
    {
        subscription.Number = 9;
        return new SessionCommand { Subscribe = subscription };
    }

    private static SessionCommand Sending(string source) =>
        new() { Send = new Event { Name = "E", Source = source, Target = "a" } };

    private async Task<SendManyResponse> SendManyAsync(Metadata headers)
    {
        using var many = Client.SendMany(headers);
        await many.RequestStream.WriteAsync(new SendManyRequest { Events = { NewEvent("a") } }).InTime();
        await many.RequestStream.CompleteAsync().InTime();
        return await many.ResponseAsync.InTime();
    }

    private async Task<SessionClient> OpenMachineOfAsync(string user, string machineId)
    {
        var session = OpenSessionOf(user);
        await SubscribeAsync(session, new Subscription { Number = 1, Inbox = machineId });
        return session;
    }
}
