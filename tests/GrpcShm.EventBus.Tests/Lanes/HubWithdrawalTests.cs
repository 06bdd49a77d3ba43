using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>What ends a route, and who is told.</summary>
public sealed class HubWithdrawalTests : HubLaneTest
{
    [Fact]
    public async Task Unregister_TheSource_WithdrawsItsRoutesBothWays()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var there = await GrantAsync(source);
        var back = await GrantAsync(target, "b", "a");

        await source.ExecuteAsync(new SessionCommand { Unregister = "a" }).InTime();

        await AssertWithdrawnAsync([there.Route, back.Route], source, target);
        Assert.Equal((0, 2), (Table.Routes, Table.AllRoutes));
    }

    [Fact]
    public async Task Unregister_TheTarget_LeavesRoutesOfOtherMachines()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await SubscribeAsync(target, new Subscription { Number = 2, Inbox = "c" });
        var gone = await GrantAsync(source);
        await GrantAsync(source, target: "c");

        await target.ExecuteAsync(new SessionCommand { Unregister = "b" }).InTime();

        await AssertWithdrawnAsync([gone.Route], source, target);
        Assert.Equal(1, Table.Routes);
    }

    [Fact]
    public async Task Unsubscribe_TheInbox_WithdrawsTheRoutesToItOnly()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var gone = await GrantAsync(source);
        await GrantAsync(target, "b", "a");

        await target.ExecuteAsync(new SessionCommand { Unsubscribe = 1 }).InTime();

        // The machine stays registered, and may send.
        await AssertWithdrawnAsync([gone.Route], source, target);
        Assert.Equal(1, Table.Routes);

        // A new subscription is another inbox, and gets another route.
        await CloseAsync(source, gone.Route);
        await SubscribeAsync(target, new Subscription { Number = 1, Inbox = "b" });
        Assert.NotEqual(gone.Route, (await GrantAsync(source)).Route);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task SessionEnd_OfOneEnd_WithdrawsForTheOther_AndLeavesNothing(bool isSource)
    {
        var source = await OpenMachineWithLanesAsync("a");
        var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);
        var (ending, staying) = isSource ? (source, target) : (target, source);

        await ending.DisposeAsync();

        Assert.Equal(grant.Route, (await NextWithdrawalAsync(staying)).Route);
        await TimeLimit.UntilAsync(() => Table is { Lanes: 0, Routes: 0, AllRoutes: 1 });
        await CloseAsync(staying, grant.Route);
        Assert.Equal(0, Table.AllRoutes);
        await staying.DisposeAsync();
    }

    [Fact]
    public async Task SessionEnd_OfBothEnds_LeavesNothing()
    {
        var source = await OpenMachineWithLanesAsync("a");
        var target = await OpenMachineWithLanesAsync("b");
        await GrantAsync(source);
        await GrantAsync(target, "b", "a");

        await source.DisposeAsync();
        await target.DisposeAsync();

        await TimeLimit.UntilAsync(() => Table is { Lanes: 0, Routes: 0, AllRoutes: 0 });
    }

    [Fact]
    public async Task Close_ByTheSource_TellsTheTargetOnly()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);

        await CloseAsync(source, grant.Route);

        Assert.Equal(grant.Route, (await NextWithdrawalAsync(target)).Route);
        await PassAsync(source);
        Assert.False(source.Notices.TryRead(out _));
        Assert.Equal((0, 1), (Table.Routes, Table.AllRoutes));
        await CloseAsync(target, grant.Route);
        Assert.Equal(0, Table.AllRoutes);
    }

    [Fact]
    public async Task Close_ByTheTarget_TellsTheSourceOnly()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);
        await NextGrantAsync(target);

        await CloseAsync(target, grant.Route);

        Assert.Equal(grant.Route, (await NextWithdrawalAsync(source)).Route);
        await PassAsync(target);
        Assert.False(target.Notices.TryRead(out _));
        await CloseAsync(source, grant.Route);
        Assert.Equal(0, Table.AllRoutes);
    }

    [Fact]
    public async Task Close_OfARouteThatIsNotKnown_IsIgnored()
    {
        await using var source = await OpenMachineWithLanesAsync("a");

        Assert.Equal("", (await CloseAsync(source, 77)).Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task LaneFailed_ThatNeverStood_WithdrawsAndGetsNoOtherLaneForAWhile(bool isTold)
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var there = await GrantAsync(source);
        var back = await GrantAsync(target, "b", "a");
        var failure = new SessionCommand { LaneFailed = new LaneFailure { Lane = there.Lane } };

        await (isTold ? source : target).ExecuteAsync(failure).InTime();

        await AssertWithdrawnAsync([there.Route, back.Route], source, target);
        AssertRefused(StatusCode.FailedPrecondition, true, await RequestAsync(source));
        AssertRefused(StatusCode.FailedPrecondition, true, await RequestAsync(target, "b", "a"));
        Assert.Equal(0, Table.Lanes);

        // Other sessions are not concerned.
        await using var other = await OpenMachineWithLanesAsync("c");
        await GrantAsync(source, target: "c");
    }

    [Fact]
    public async Task LaneFailed_AgainAndAgain_RestsTwiceAsLongEachTime()
    {
        var now = 1_000L;
        Table.Clock = () => now;
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        foreach (var minutes in (int[])[1, 2, 4])
        {
            var grant = await GrantAsync(source);
            Assert.Equal(1, Table.Lanes);
            var failure = new SessionCommand { LaneFailed = new LaneFailure { Lane = grant.Lane } };
            await source.ExecuteAsync(failure).InTime();

            now += (minutes * 60_000L) - 1;
            AssertRefused(StatusCode.FailedPrecondition, true, await RequestAsync(source));
            now++;
        }

        await GrantAsync(source);
    }

    [Fact]
    public async Task LaneFailed_ThatStood_GetsANewLaneWithTheNextRoute()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var first = await GrantAsync(source);
        var token = (await target.Notices.ReadAsync().InTime()).Introduction.Token;
        var failure = new SessionCommand { LaneFailed = new LaneFailure { Lane = first.Lane, HadStood = true } };

        await source.ExecuteAsync(failure.Clone()).InTime();
        await target.ExecuteAsync(failure.Clone()).InTime();
        await AssertWithdrawnAsync([first.Route], source, target);
        var second = await GrantAsync(source);

        var introduction = (await target.Notices.ReadAsync().InTime()).Introduction;
        Assert.NotEqual(first.Lane, second.Lane);
        Assert.Equal(second.Lane, introduction.Lane);
        Assert.NotEqual(token, introduction.Token);
        Assert.Equal(1, Table.Lanes);
    }

    private static async Task AssertWithdrawnAsync(uint[] routes, params SessionClient[] sessions)
    {
        foreach (var session in sessions)
        {
            var withdrawn = new List<uint>();
            while (withdrawn.Count < routes.Length)
            {
                var withdrawal = await NextWithdrawalAsync(session);
                Assert.NotEqual("", withdrawal.Reason);
                withdrawn.Add(withdrawal.Route);
            }

            Assert.Equal(routes.Order(), withdrawn.Order());
        }
    }
}
