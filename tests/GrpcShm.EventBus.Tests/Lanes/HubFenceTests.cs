using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>The fence of a route: where it stands, and who is told of it.</summary>
public sealed class HubFenceTests : HubLaneTest
{
    [Fact]
    public async Task Fence_IsBehindTheEventsThatWait_AndIsAnsweredByTheTarget()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b", credit: 0);
        var grant = await GrantAsync(source);
        await source.SendAsync(SendTo("b", version: 1), SendTo("b", version: 2)).InTime();
        var answered = FenceAsync(source, grant.Route);
        await source.SendAsync(SendTo("b", version: 3)).InTime();
        await PassAsync(source);

        await target.SendAsync(GrantCredit(1)).InTime();
        Assert.Equal(1u, (await target.Deliveries.ReadAsync().InTime()).Event.Version);
        await target.SendAsync(GrantCredit(1)).InTime();
        Assert.Equal(2u, (await target.Deliveries.ReadAsync().InTime()).Event.Version);
        Assert.False(target.Deliveries.TryRead(out _));
        await target.SendAsync(GrantCredit(1)).InTime();
        var fence = await target.Deliveries.ReadAsync().InTime();

        Assert.Null(fence.Event);
        Assert.Equal((1u, grant.Route, 1u), (fence.Subscription, fence.Fence, fence.ReturnedCredit));
        Assert.Equal(AcknowledgementLevel.Delivered, fence.Acknowledgement);
        Assert.NotEqual(0ul, fence.Number);
        Assert.False(answered.IsCompleted);
        await AcknowledgeAsync(target, fence);
        Assert.Equal("", (await answered.InTime()).Message);

        // The fence gave up the credit that there was.
        Assert.False(target.Deliveries.TryRead(out _));
        await target.SendAsync(GrantCredit(1)).InTime();
        Assert.Equal(3u, (await target.Deliveries.ReadAsync().InTime()).Event.Version);
    }

    [Fact]
    public async Task Fence_FirstInAMailboxWithoutCredit_WaitsForSome()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b", credit: 0);
        var grant = await GrantAsync(source);

        var answered = FenceAsync(source, grant.Route);
        await PassAsync(source);
        Assert.False(target.Deliveries.TryRead(out _));
        await target.SendAsync(GrantCredit(1)).InTime();

        var fence = await target.Deliveries.ReadAsync().InTime();
        Assert.Equal((grant.Route, 1u), (fence.Fence, fence.ReturnedCredit));
        await AcknowledgeAsync(target, fence);
        Assert.Equal("", (await answered.InTime()).Message);
    }

    [Theory]
    [InlineData(2u, 1u, 1)]
    [InlineData(5u, 3u, 2)]
    public async Task Fence_TakesHalfOfTheCredit_AndTheHubUsesTheRest(uint credit, uint returned, int left)
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b", credit: credit);
        var grant = await GrantAsync(source);
        var answered = FenceAsync(source, grant.Route);
        var fence = await target.Deliveries.ReadAsync().InTime();
        await AcknowledgeAsync(target, fence);
        await answered.InTime();

        await source.SendAsync([.. Enumerable.Repeat(0, 8).Select(_ => SendTo("b"))]).InTime();
        await source.CompletedAsync().InTime();

        Assert.Equal(returned, fence.ReturnedCredit);
        for (var i = 0; i < left; i++)
        {
            Assert.NotNull((await target.Deliveries.ReadAsync().InTime()).Event);
        }

        // What the hub writes comes in order: the next fence is behind all that there was credit for.
        var second = await FenceOfAnotherAsync(target);
        Assert.False(target.Deliveries.TryRead(out _));
        Assert.False(second.IsCompleted);
    }

    [Fact]
    public async Task Fence_OfASubscriptionWithEndlessCredit_ReturnsNone()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenLanesAsync();
        await SubscribeAsync(target, new Subscription { Number = 1, Inbox = "b" });
        var grant = await GrantAsync(source);

        _ = FenceAsync(source, grant.Route);

        Assert.Equal(0u, (await target.Deliveries.ReadAsync().InTime()).ReturnedCredit);
    }

    [Fact]
    public async Task Fence_IntoAFullMailbox_IsNotDroppedAndDropsNothing()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync(
            "b", credit: 0, mailbox: new MailboxSettings { Capacity = 1 });
        var grant = await GrantAsync(source);
        await source.SendAsync(SendTo("b", version: 1)).InTime();

        var answered = FenceAsync(source, grant.Route);
        await source.SendAsync(SendTo("b", version: 2)).InTime();
        await target.SendAsync(GrantCredit(3)).InTime();

        Assert.Equal(1u, (await target.Deliveries.ReadAsync().InTime()).Event.Version);
        var fence = await target.Deliveries.ReadAsync().InTime();
        Assert.Equal(grant.Route, fence.Fence);
        Assert.Equal(2u, (await target.Deliveries.ReadAsync().InTime()).Event.Version);
        await AcknowledgeAsync(target, fence);
        Assert.Equal("", (await answered.InTime()).Message);
        var health = await Client.GetHealthAsync(new GetHealthRequest()).ResponseAsync.InTime();
        Assert.Equal((2ul, 0ul), (health.EventsAccepted, health.EventsDropped));
    }

    [Fact]
    public async Task Fence_ThatTheTargetRefuses_FailsWithItsReason()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);
        var answered = FenceAsync(source, grant.Route);

        await AcknowledgeAsync(target, await target.Deliveries.ReadAsync().InTime(), StatusCode.Aborted);

        Assert.Equal((int)StatusCode.Aborted, (await answered.InTime()).StatusCode);
    }

    [Fact]
    public async Task Fence_WhileOneIsNotAnswered_IsRefused_AndAnswersInTimeOrNot()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);
        var first = FenceAsync(source, grant.Route, timeout: 60_000);
        await target.Deliveries.ReadAsync().InTime();

        var second = await FenceAsync(source, grant.Route).InTime();

        Assert.Equal((int)StatusCode.FailedPrecondition, second.StatusCode);
        Assert.False(first.IsCompleted);
    }

    [Fact]
    public async Task Fence_ThatIsNotAcknowledged_FailsInTime_AndAnotherOneMayFollow()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);

        var late = await FenceAsync(source, grant.Route, timeout: 1).InTime();
        var next = FenceAsync(source, grant.Route);

        Assert.Equal((int)StatusCode.DeadlineExceeded, late.StatusCode);
        await target.Deliveries.ReadAsync().InTime();
        await AcknowledgeAsync(target, await target.Deliveries.ReadAsync().InTime());
        Assert.Equal("", (await next.InTime()).Message);
    }

    [Fact]
    public async Task Fence_WithoutANumber_IsInvalid()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);

        await source.SendRawAsync(new SessionRequest
        {
            Commands = { new SessionCommand { Fence = new RouteFence { Route = grant.Route } } },
        }).InTime();
        await PassAsync(source);

        Assert.Equal((int)StatusCode.InvalidArgument, Assert.Single(source.Failures).StatusCode);
    }

    [Fact]
    public async Task Fence_OfARouteThatIsWithdrawn_FailsAndIsVoidInTheMailbox()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b", credit: 0);
        var grant = await GrantAsync(source);
        await source.SendAsync(SendTo("b", version: 1)).InTime();
        var answered = FenceAsync(source, grant.Route);
        await PassAsync(source);

        await CloseAsync(target, grant.Route);

        Assert.Equal((int)StatusCode.FailedPrecondition, (await answered.InTime()).StatusCode);
        await target.SendAsync(GrantCredit(5)).InTime();
        Assert.Equal(1u, (await target.Deliveries.ReadAsync().InTime()).Event.Version);
        var fence = await target.Deliveries.ReadAsync().InTime();
        Assert.Equal((grant.Route, 0ul, 0u), (fence.Fence, fence.Number, fence.ReturnedCredit));
        Assert.Equal((int)StatusCode.FailedPrecondition, (await FenceAsync(source, grant.Route).InTime()).StatusCode);
    }

    [Fact]
    public async Task Fence_WhenTheTargetsSessionEnds_Fails()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        var target = await OpenMachineWithLanesAsync("b", credit: 0);
        var grant = await GrantAsync(source);
        await source.SendAsync(SendTo("b")).InTime();
        var answered = FenceAsync(source, grant.Route);
        await PassAsync(source);

        await target.DisposeAsync();

        Assert.NotEqual(0, (await answered.InTime()).StatusCode);
    }

    [Fact]
    public async Task Fence_InAMailbox_IsNoEventThatWaits()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b", credit: 0);
        var grant = await GrantAsync(source);
        await source.SendAsync(SendTo("b", version: 1)).InTime();
        _ = FenceAsync(source, grant.Route);
        await PassAsync(source);

        var machines = await Client.ListMachinesAsync(new ListMachinesRequest()).ResponseAsync.InTime();

        Assert.Equal(1u, machines.Machines.Single(static machine => machine.MachineId == "b").Waiting);
    }

    // Gets another machine's route to "b", with its fence.
    private async Task<Task<Outcome>> FenceOfAnotherAsync(SessionClient target)
    {
        var other = await OpenMachineWithLanesAsync("other");
        var grant = await GrantAsync(other, "other");
        var answered = FenceAsync(other, grant.Route);
        await PassAsync(other);
        await PassAsync(target);
        return answered;
    }
}
