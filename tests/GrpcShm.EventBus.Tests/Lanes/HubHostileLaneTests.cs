using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Clients that say of lanes what is not theirs to say, or say too much.</summary>
public sealed class HubHostileLaneTests : HubLaneTest
{
    protected override void Configure(EventBusOptions options)
    {
        base.Configure(options);
        options.MaxRoutesPerSession = 8;
    }

    [Fact]
    public async Task Confirm_ARouteOfOthers_ReleasesNoObserver()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var third = await OpenMachineWithLanesAsync("c");
        var grant = await GrantAsync(source);
        await CloseAsync(third, grant.Route);
        Assert.Equal(1, Table.Routes);

        var observed = ObserveAsync(third, new Subscription { Machine = "b" });
        await NextWithdrawalAsync(target);
        Assert.Equal("", (await third.ExecuteAsync(Refusable(grant.Route)).InTime()).Message);
        await PassAsync(third);

        Assert.False(observed.IsCompleted);
        await CloseAsync(target, grant.Route);
        Assert.Equal("", (await observed.InTime()).Message);

        // Closing "by the same end again" is nobody's confirmation either.
        static SessionCommand Refusable(uint route) =>
            new() { Acknowledgement = AcknowledgementLevel.Replied, CloseRoute = new RouteClosed { Route = route } };
    }

    [Fact]
    public async Task Close_AgainAndAgain_CountsOnce()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        var grant = await GrantAsync(source);
        await CloseAsync(source, grant.Route);
        await CloseAsync(source, grant.Route);
        await CloseAsync(source, grant.Route);

        // The source cannot confirm for the target.
        var observed = ObserveAsync(observing, new Subscription { Machine = "b" });
        await PassAsync(observing);

        Assert.False(observed.IsCompleted);
        Assert.Equal(1, Table.AllRoutes);
    }

    [Fact]
    public async Task Fence_OfOthers_IsRefusedAndNotWritten()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var third = await OpenMachineWithLanesAsync("c");
        var grant = await GrantAsync(source);

        var byThird = await FenceAsync(third, grant.Route).InTime();
        var byTarget = await FenceAsync(target, grant.Route).InTime();
        await PassAsync(target);

        Assert.Equal((int)StatusCode.FailedPrecondition, byThird.StatusCode);
        Assert.Equal((int)StatusCode.FailedPrecondition, byTarget.StatusCode);
        Assert.False(target.Deliveries.TryRead(out _));
    }

    [Fact]
    public async Task Acknowledge_AFenceOfOthers_DoesNotAnswerIt()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var third = await OpenMachineWithLanesAsync("c");
        var grant = await GrantAsync(source);
        var answered = FenceAsync(source, grant.Route);
        var fence = await target.Deliveries.ReadAsync().InTime();

        await AcknowledgeAsync(third, fence);
        await AcknowledgeAsync(source, fence);
        await PassAsync(third);
        await PassAsync(source);

        Assert.False(answered.IsCompleted);
    }

    [Fact]
    public async Task LaneFailed_OfOthers_IsIgnored()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var third = await OpenMachineWithLanesAsync("c");
        var grant = await GrantAsync(source);

        await third.ExecuteAsync(new SessionCommand { LaneFailed = new LaneFailure { Lane = grant.Lane } }).InTime();

        Assert.Equal((1, 1), (Table.Lanes, Table.Routes));
    }

    [Fact]
    public async Task Request_InAFlood_CostsNobodyMoreThanTheBounds()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");

        // It guesses the numbers of its routes, and never waits.
        for (uint i = 0; i < 100; i++)
        {
            await source.SendAsync(
                [
                    .. Enumerable.Range(0, 50).SelectMany(j => new[]
                    {
                        new SessionCommand { RequestRoute = new RouteRequest { Source = "a", Target = "b" } },
                        new SessionCommand { CloseRoute = new RouteClosed { Route = (i * 50) + (uint)j + 1 } },
                    }),
                ]).InTime();
        }

        await PassAsync(source);
        Assert.Equal((0, 8), (Table.Routes, Table.AllRoutes));
        Assert.Contains(source.Failures, static outcome =>
            outcome.Message.Contains(nameof(EventBusOptions.MaxRoutesPerSession), StringComparison.Ordinal));

        // The target has been told of each of its eight routes, and not of more.
        await PassAsync(target);
        var notices = 0;
        while (target.Notices.TryRead(out _))
        {
            notices++;
        }

        Assert.Equal(1 + (2 * 8), notices);
    }

    [Fact]
    public async Task Command_WithEmptyContents_IsRefusedOrIgnored()
    {
        await using var session = await OpenMachineWithLanesAsync("a");

        Assert.False(await SucceedsAsync(new SessionCommand { RequestRoute = new() }));
        Assert.False(await SucceedsAsync(new SessionCommand { Fence = new() }));
        Assert.True(await SucceedsAsync(new SessionCommand { CloseRoute = new() }));
        Assert.True(await SucceedsAsync(new SessionCommand { LaneFailed = new() }));
        await session.SendAsync(new SessionCommand { ReportRoute = new() }).InTime();
        await session.CompletedAsync().InTime();
        Assert.Empty(session.Failures);

        async Task<bool> SucceedsAsync(SessionCommand command) =>
            (await session.ExecuteAsync(command).InTime()).StatusCode == 0;
    }
}
