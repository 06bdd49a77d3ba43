using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>How the hub makes two clients known to each other.</summary>
public sealed class HubGrantTests : HubLaneTest
{
    [Fact]
    public async Task Open_TheHubSaysThatItOffersLanes()
    {
        await using var session = OpenSession();

        Assert.True((await session.Opened.InTime()).OffersLanes);
    }

    [Fact]
    public async Task Request_TheFirstOfTwoSessions_IntroducesThemAndGrants()
    {
        await using var source = await OpenMachineWithLanesAsync("a", "at a");
        await using var target = await OpenMachineWithLanesAsync("b", "at b");

        var outcome = await RequestAsync(source);

        // All of the source's notices came before the outcome.
        Assert.Equal((0, ""), (outcome.StatusCode, outcome.Message));
        Assert.True(source.Notices.TryRead(out var connector));
        Assert.True(source.Notices.TryRead(out var granted));
        Assert.False(source.Notices.TryRead(out _));
        var acceptor = await target.Notices.ReadAsync().InTime();
        var announced = await target.Notices.ReadAsync().InTime();

        Assert.Equal("at b", connector.Introduction.Address);
        Assert.Equal("", acceptor.Introduction.Address);
        Assert.Equal(16, acceptor.Introduction.Token.Length);
        Assert.Equal(acceptor.Introduction.Token, connector.Introduction.Token);
        Assert.Equal(acceptor.Introduction.Lane, connector.Introduction.Lane);
        var expected = new RouteGrant
        {
            Lane = acceptor.Introduction.Lane,
            Route = granted.Grant.Route,
            Source = "a",
            Target = "b",
            Sender = granted.Grant.Sender,
            WaitMilliseconds = 10_000,
            MaxEventSize = 3 * 1024 * 1024,
        };
        Assert.Equal(expected, granted.Grant);
        expected.IsTarget = true;
        Assert.Equal(expected, announced.Grant);
        Assert.NotEqual(0u, expected.Route);
        Assert.NotEqual(0ul, expected.Lane);
    }

    [Fact]
    public async Task Request_TheGrantNamesTheSender_ThatTheHubPutsIntoEvents()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");

        var grant = await GrantAsync(source);
        await source.SendAsync(SendTo("b")).InTime();

        var delivery = await target.Deliveries.ReadAsync().InTime();
        Assert.NotEqual(7ul, grant.Sender);
        Assert.Equal(delivery.Event.Sender, grant.Sender);
    }

    [Fact]
    public async Task Request_TheTargetDoesNotListen_TheSourceAccepts()
    {
        await using var source = await OpenMachineWithLanesAsync("a", "at a");
        await using var target = await OpenMachineWithLanesAsync("b", "");

        await GrantAsync(source);

        Assert.Equal("at a", (await target.Notices.ReadAsync().InTime()).Introduction.Address);
    }

    [Fact]
    public async Task Request_FurtherRoutesOfTheSameSessions_UseTheSameLane()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await SubscribeAsync(source, new Subscription { Number = 2, Inbox = "a2" });

        var first = await GrantAsync(source);
        var second = await GrantAsync(source, "a2");
        var back = await GrantAsync(target, "b", "a");

        Assert.Equal((first.Lane, first.Lane), (second.Lane, back.Lane));
        Assert.Equal(3, new HashSet<uint> { first.Route, second.Route, back.Route }.Count);
        Assert.Equal((1, 3), (Table.Lanes, Table.Routes));
        Assert.Equal(LaneNotice.NoticeOneofCase.Grant, (await source.Notices.ReadAsync().InTime()).NoticeCase);
        Assert.False(source.Notices.TryRead(out _));
    }

    [Fact]
    public async Task Request_TwoLanes_HaveTokensOfTheirOwn()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var one = await OpenMachineWithLanesAsync("b");
        await using var other = await OpenMachineWithLanesAsync("c");

        await GrantAsync(source);
        await GrantAsync(source, target: "c");

        var first = (await one.Notices.ReadAsync().InTime()).Introduction;
        var second = (await other.Notices.ReadAsync().InTime()).Introduction;
        Assert.NotEqual(first.Lane, second.Lane);
        Assert.NotEqual(first.Token, second.Token);
    }

    [Fact]
    public async Task Request_AgainAndAgain_NoNumberComesTwice()
    {
        var routes = new HashSet<uint>();
        var lanes = new HashSet<ulong>();
        await using var target = await OpenMachineWithLanesAsync("b");
        for (var round = 0; round < 5; round++)
        {
            await using var source = await OpenMachineWithLanesAsync("a");
            for (var i = 0; i < 20; i++)
            {
                var grant = await GrantAsync(source);
                Assert.True(routes.Add(grant.Route));
                lanes.Add(grant.Lane);
                await CloseAsync(source, grant.Route);
                await CloseAsync(target, grant.Route);
            }
        }

        // Each session of the source has a lane of its own.
        Assert.Equal(5, lanes.Count);
        await TimeLimit.UntilAsync(() => Table is { Lanes: 0, Routes: 0, AllRoutes: 0 });
    }

    [Fact]
    public async Task Request_OfAClosedRoute_IsGrantedAnew()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var first = await GrantAsync(source);
        await CloseAsync(source, first.Route);

        // The target has not confirmed yet.
        var second = await GrantAsync(source);

        Assert.NotEqual(first.Route, second.Route);
        Assert.Equal((1, 2), (Table.Routes, Table.AllRoutes));
    }

    [Fact]
    public async Task Session_WithoutLanes_NeverGetsANotice()
    {
        await using var old = await OpenMachineAsync("old");
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);

        await RequestAsync(source, target: "old");
        var observed = ObserveAsync(old, new Subscription { All = new AllEvents() });
        await NextWithdrawalAsync(target);
        await CloseAsync(target, grant.Route);
        Assert.Equal("", (await observed.InTime()).Message);
        await source.SendAsync(SendTo("b"), SendTo("old")).InTime();

        Assert.Equal("b", (await old.Deliveries.ReadAsync().InTime()).Event.Target);
        Assert.False(old.Notices.TryRead(out _));
    }
}
