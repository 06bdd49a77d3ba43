using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

public sealed class ObserverTests : HubTest
{
    [Fact]
    public async Task Publish_ToAll_ReachesEveryInbox()
    {
        await using var a = await OpenMachineAsync("a");
        await using var b = await OpenMachineAsync("b");

        var response = await PublishAsync(new Publication { Event = Published("ALL"), All = new AllMachines() });

        Assert.Equal(2u, response.Recipients);
        Assert.Equal("ALL", await NextAsync(a));
        Assert.Equal("ALL", await NextAsync(b));
    }

    [Fact]
    public async Task Publish_ExcludingTheSource_LeavesItOut()
    {
        await using var a = await OpenMachineAsync("a");
        await using var b = await OpenMachineAsync("b");
        var published = Published("ALL");
        published.Source = "a";

        var response = await a.ExecuteAsync(new SessionCommand
        {
            Publish = new Publication { Event = published, All = new AllMachines(), ExcludeSource = true },
        }).InTime();
        await a.SendAsync(Send("a", "NEXT")).InTime();

        Assert.Equal(1u, response.Recipients);
        Assert.Equal("ALL", await NextAsync(b));
        Assert.Equal("NEXT", await NextAsync(a));
    }

    [Fact]
    public async Task Publish_ToAGroup_ReachesItsMembersAndItsSubscribers()
    {
        await using var member = OpenSession();
        await member.ExecuteAsync(
            new SessionCommand { Register = new Registration { MachineId = "member", Groups = { "tools" } } }).InTime();
        await SubscribeAsync(member, new Subscription { Number = 1, Inbox = "member" });
        await using var other = await OpenMachineAsync("other");
        await using var observer = OpenSession();
        await SubscribeAsync(observer, new Subscription { Number = 1, Group = "tools" });

        var response = await PublishAsync(new Publication { Event = Published("GROUP"), Group = "tools" });

        Assert.Equal(2u, response.Recipients);
        Assert.Equal("GROUP", await NextAsync(member));
        Assert.Equal("GROUP", await NextAsync(observer));
    }

    [Fact]
    public async Task Publish_ToAPattern_ReachesMatchingMachines()
    {
        await using var tool = await OpenMachineAsync("tool-1");
        await using var robot = await OpenMachineAsync("robot-1");

        var response = await PublishAsync(new Publication { Event = Published("TOOLS"), MachinePattern = "tool-?" });

        Assert.Equal(1u, response.Recipients);
        Assert.Equal("TOOLS", await NextAsync(tool));
    }

    [Fact]
    public async Task Publish_InASession_SaysHowManyItReached()
    {
        await using var machine = await OpenMachineAsync("m");

        var outcome = await machine.ExecuteAsync(new SessionCommand
        {
            Publish = new Publication { Event = Published("ALL"), All = new AllMachines() },
        }).InTime();

        Assert.Equal(1u, outcome.Recipients);
        Assert.Equal("ALL", await NextAsync(machine));
    }

    [Fact]
    public async Task Subscribe_ToStateChanges_GetsOnlyThose()
    {
        await using var observer = OpenSession();
        await SubscribeAsync(observer, new Subscription { Number = 1, StateChanges = "oven-*" });
        await using var machine = await OpenMachineAsync("m");

        await machine.SendAsync(Send("m", "PLAIN")).InTime();
        var change = Published("CHANGED");
        change.Source = "oven-1";
        change.StateChange = new StateChange { OldState = "cold", NewState = "hot" };
        var response = await PublishAsync(new Publication { Event = change, Observers = new Observers() });

        Assert.Equal(1u, response.Recipients);
        var delivery = await observer.Deliveries.ReadAsync().InTime();
        Assert.Equal("hot", delivery.Event.StateChange.NewState);
    }

    [Fact]
    public async Task Subscribe_ToPatternMachineAndAll_GetCopiesOfWhatIsSent()
    {
        await using var observer = OpenSession();
        await SubscribeAsync(
            observer, new Subscription { Number = 1, Pattern = new EventPattern { Name = "ORDER-*" } });
        await SubscribeAsync(observer, new Subscription { Number = 2, Machine = "m" });
        await SubscribeAsync(observer, new Subscription { Number = 3, All = new AllEvents() });
        await using var machine = await OpenMachineAsync("m");

        await machine.SendAsync(Send("m", "ORDER-1"), Send("m", "OTHER")).InTime();

        var copies = new List<(uint, string)>();
        for (var i = 0; i < 5; i++)
        {
            var delivery = await observer.Deliveries.ReadAsync().InTime();
            copies.Add((delivery.Subscription, delivery.Event.Name));
        }

        Assert.Equal(
            [(1u, "ORDER-1"), (2u, "ORDER-1"), (2u, "OTHER"), (3u, "ORDER-1"), (3u, "OTHER")], copies.Order());
    }

    public static TheoryData<Subscription> Filters { get; } =
    [
        new Subscription { Inbox = "new" },
        new Subscription { Machine = "m" },
        new Subscription { StateChanges = "te?t" },
        new Subscription { Group = "g" },
        new Subscription { Pattern = new EventPattern { Name = "E*" } },
        new Subscription { All = new AllEvents() },
        new Subscription { MachineChanges = "late" },
    ];

    [Theory]
    [MemberData(nameof(Filters))]
    public async Task Subscribe_ByACallOfItsOwn_SaysThatItStandsAndMissesNothingFromThenOn(Subscription filter)
    {
        await using var machine = await OpenMachineAsync("m");
        using var call = Client.Subscribe(new SubscribeRequest { Subscription = filter });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.NotEmpty(call.ResponseStream.Current.Subscribed.SubscriptionId);

        // One of these is for it, whichever it is.
        await Client.SendAsync(new SendRequest { Event = NewEvent("m", "E-SENT") }).ResponseAsync.InTime();
        var changed = Published("CHANGED");
        changed.StateChange = new StateChange { NewState = "s" };
        await PublishAsync(new Publication { Event = changed, Observers = new Observers() });
        await PublishAsync(new Publication { Event = Published("GROUP"), Group = "g" });
        await PublishAsync(new Publication { Event = Published("NEW"), MachinePattern = "new" });
        await using var late = await OpenMachineAsync("late");

        var expected = filter.FilterCase switch
        {
            Subscription.FilterOneofCase.Inbox => "NEW",
            Subscription.FilterOneofCase.StateChanges => "CHANGED",
            Subscription.FilterOneofCase.Group => "GROUP",
            Subscription.FilterOneofCase.MachineChanges => "machine.complete",
            _ => "E-SENT",
        };
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.Equal(expected, call.ResponseStream.Current.Deliveries[0].Event.Name);
    }

    [Fact]
    public async Task Subscribe_ToAnInboxThatIsUnregistered_EndsTheCall()
    {
        await Client.RegisterMachinesAsync(new RegisterMachinesRequest
        {
            InstanceId = "p",
            Registrations = { new Registration { MachineId = "m" } },
        }).ResponseAsync.InTime();
        using var call = Client.Subscribe(
            new SubscribeRequest { InstanceId = "p", Subscription = new Subscription { Inbox = "m" } });
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());

        await Client.UnregisterMachinesAsync(
            new UnregisterMachinesRequest { InstanceId = "p", MachineIds = { "m" } }).ResponseAsync.InTime();

        var ended = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.Equal(StatusCode.Aborted, ended.StatusCode);
    }

    [Fact]
    public async Task Subscribe_ToAPatternOfGroups_GetsWhatIsPublishedToThem()
    {
        await using var machine = await OpenMachineAsync("m");
        await using var observer = OpenSession();
        await SubscribeAsync(
            observer, new Subscription { Number = 1, Pattern = new EventPattern { Group = "tool-?" } });
        await using var any = OpenSession();
        await SubscribeAsync(
            any, new Subscription { Number = 1, Pattern = new EventPattern { Group = "*", Name = "*" } });
        var forged = Published("FORGED");
        forged.Group = "tool-1";
        var sent = NewEvent("m", "SENT");
        sent.Group = "tool-1";

        await Client.SendAsync(new SendRequest { Event = sent }).ResponseAsync.InTime();
        await PublishAsync(new Publication { Event = forged, All = new AllMachines() });
        await PublishAsync(new Publication { Event = Published("OTHER"), Group = "tools" });
        await PublishAsync(new Publication { Event = Published("FIRST"), Group = "tool-1" });
        await PublishAsync(new Publication { Event = Published("SECOND"), Group = "tool-2" });

        var first = (await observer.Deliveries.ReadAsync().InTime()).Event;
        Assert.Equal(("FIRST", "tool-1"), (first.Name, first.Group));
        Assert.Equal("SECOND", await NextAsync(observer));
        foreach (var (name, group) in new[] { ("SENT", ""), ("FORGED", ""), ("OTHER", "tools"), ("FIRST", "tool-1") })
        {
            var seen = (await any.Deliveries.ReadAsync().InTime()).Event;
            Assert.Equal((name, group), (seen.Name, seen.Group));
        }
    }

    private static Event Published(string name) => new() { Name = name, Source = "test" };

    private static async Task<string> NextAsync(SessionClient session) =>
        (await session.Deliveries.ReadAsync().InTime()).Event.Name;

    private Task<PublishResponse> PublishAsync(Publication publication) =>
        Client.PublishAsync(new PublishRequest { Publication = publication }).ResponseAsync.InTime();
}
