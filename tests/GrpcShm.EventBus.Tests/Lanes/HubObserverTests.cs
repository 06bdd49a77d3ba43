using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Observers that come while events go past the hub: what they are promised, and when.</summary>
public sealed class HubObserverTests : HubLaneTest
{
    [Theory]
    [MemberData(nameof(HubRefusalTests.Observers), MemberType = typeof(HubRefusalTests))]
    public async Task Observe_WhatARouteCarries_IsAnsweredOnlyWhenTheTargetHasConfirmed(Subscription observer)
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        var grant = await GrantAsync(source);

        var observed = ObserveAsync(observing, observer);
        await NextWithdrawalAsync(source);
        await NextWithdrawalAsync(target);

        // The source's word is not enough: the target may still find events in the lane.
        await CloseAsync(source, grant.Route);
        await PassAsync(observing);
        Assert.False(observed.IsCompleted);
        await CloseAsync(target, grant.Route);

        Assert.Equal("", (await observed.InTime()).Message);
        Assert.Equal(0, Table.AllRoutes);
    }

    [Theory]
    [MemberData(nameof(HubRefusalTests.OtherObservers), MemberType = typeof(HubRefusalTests))]
    public async Task Observe_WhatNoRouteCarries_IsAnsweredAtOnce(Subscription observer)
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        await GrantAsync(source);

        Assert.Equal("", (await ObserveAsync(observing, observer).InTime()).Message);

        Assert.Equal(1, Table.Routes);
    }

    [Fact]
    public async Task Observe_WhileItWaits_TheObserverSeesWhatComesByTheHub()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        await GrantAsync(source);
        var observed = ObserveAsync(observing, new Subscription { Machine = "b" });
        await NextWithdrawalAsync(target);

        await source.SendAsync(SendTo("b", version: 5)).InTime();

        Assert.Equal(5u, (await observing.Deliveries.ReadAsync().InTime()).Event.Version);
        Assert.False(observed.IsCompleted);
    }

    [Fact]
    public async Task Observe_RoutesThatWereWithdrawnBefore_WaitsForTheirTargets()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        var closed = await GrantAsync(source);
        await CloseAsync(source, closed.Route);
        var unregistered = await GrantAsync(source);
        await source.ExecuteAsync(new SessionCommand { Unregister = "a" }).InTime();

        var observed = ObserveAsync(observing, new Subscription { Machine = "b" });
        await CloseAsync(target, closed.Route);
        await PassAsync(observing);
        Assert.False(observed.IsCompleted);
        await CloseAsync(target, unregistered.Route);

        Assert.Equal("", (await observed.InTime()).Message);
    }

    [Fact]
    public async Task Observe_TheSourcesSessionHasEnded_WaitsForTheTarget()
    {
        var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        var grant = await GrantAsync(source);
        await source.DisposeAsync();
        await NextWithdrawalAsync(target);

        var observed = ObserveAsync(observing, new Subscription { Machine = "b" });
        await PassAsync(observing);
        Assert.False(observed.IsCompleted);
        await CloseAsync(target, grant.Route);

        Assert.Equal("", (await observed.InTime()).Message);
    }

    [Fact]
    public async Task Observe_TheTargetsSessionEnds_IsAnswered()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        await GrantAsync(source);
        var observed = ObserveAsync(observing, new Subscription { All = new AllEvents() });
        await NextWithdrawalAsync(target);

        await target.DisposeAsync();

        Assert.Equal("", (await observed.InTime()).Message);
    }

    [Fact]
    public async Task Observe_BySessionsOfTheRouteThemselves_DoesNotKeepThemFromConfirming()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);

        var bySource = ObserveAsync(source, new Subscription { Machine = "b" });
        var byTarget = ObserveAsync(target, new Subscription { Machine = "b" });
        await NextWithdrawalAsync(target);
        await PassAsync(target);
        await CloseAsync(target, grant.Route);

        Assert.Equal("", (await bySource.InTime()).Message);
        Assert.Equal("", (await byTarget.InTime()).Message);
    }

    [Fact]
    public async Task Observe_SeveralRoutes_WaitsForAll()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var other = await OpenMachineWithLanesAsync("c");
        await using var observing = OpenSession();
        var first = await GrantAsync(source);
        var second = await GrantAsync(source, target: "c");
        var third = await GrantAsync(target, "b", "a");

        var observed = ObserveAsync(observing, new Subscription { All = new AllEvents() });
        await NextWithdrawalAsync(other);
        await CloseAsync(target, first.Route);
        await CloseAsync(other, second.Route);
        await PassAsync(observing);
        Assert.False(observed.IsCompleted);
        await CloseAsync(source, third.Route);

        Assert.Equal("", (await observed.InTime()).Message);
    }

    [Fact]
    public async Task Observe_AndCommandsAfterIt_AreNotKnownToBeDoneBefore()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        var grant = await GrantAsync(source);
        var observed = ObserveAsync(observing, new Subscription { Machine = "b" });
        await NextWithdrawalAsync(target);

        await observing.SendAsync(SendTo("b", "x")).InTime();
        await PassAsync(observing);
        var completed = observing.CompletedAsync();

        // Clients conclude the subscription's success from the number of a later command.
        Assert.False(completed.IsCompleted);
        Assert.False(observed.IsCompleted);
        await CloseAsync(target, grant.Route);
        await completed.InTime();
        Assert.Equal("", (await observed.InTime()).Message);
    }

    [Fact]
    public async Task Observe_EndedBeforeTheTargetConfirms_IsAnsweredAllTheSame()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        var grant = await GrantAsync(source);
        var observed = ObserveAsync(observing, new Subscription { Machine = "b" });
        await NextWithdrawalAsync(target);
        var unsubscribed = observing.ExecuteAsync(new SessionCommand { Unsubscribe = 9 });

        await CloseAsync(target, grant.Route);

        Assert.Equal("", (await observed.InTime()).Message);
        Assert.Equal("", (await unsubscribed.InTime()).Message);
        await CloseAsync(source, grant.Route);
        await GrantAsync(source);
    }

    [Fact]
    public async Task Observe_ByACall_BeginsWhenTheTargetHasConfirmed()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);
        using var call = Client.Subscribe(
            new SubscribeRequest { Subscription = new Subscription { Machine = "b" } });

        var begun = call.ResponseStream.MoveNext(CancellationToken.None);
        await NextWithdrawalAsync(target);
        await source.SendAsync(SendTo("b", version: 4)).InTime();
        await source.CompletedAsync().InTime();
        Assert.False(begun.IsCompleted);
        await CloseAsync(target, grant.Route);

        Assert.True(await begun.InTime());
        Assert.NotNull(call.ResponseStream.Current.Subscribed);
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.Equal(4u, Assert.Single(call.ResponseStream.Current.Deliveries).Event.Version);
    }

    [Fact]
    public async Task Observe_ByTheHubsProcess_StandsWhenTheTargetHasConfirmed()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);

        var standing = Server.Hub.SubscribeToAllAsync(static _ => Task.CompletedTask);
        await NextWithdrawalAsync(target);
        Assert.False(standing.IsCompleted);
        await CloseAsync(target, grant.Route);

        using var subscription = await standing.InTime();
    }

    [Fact]
    public async Task Observe_ByTheHubsProcessThatGivesUp_LeavesNoSubscription()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);
        using var giveUp = new CancellationTokenSource();
        var standing = Server.Hub.SubscribeToAllAsync(
            static _ => Task.CompletedTask, cancellationToken: giveUp.Token);
        await NextWithdrawalAsync(target);

        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => standing.InTime());
        await CloseAsync(target, grant.Route);
        await CloseAsync(source, grant.Route);
        await GrantAsync(source);
    }

    [Fact]
    public async Task Observe_ByASessionThatEndsMeanwhile_LeavesNothing()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var observing = OpenSession();
        var grant = await GrantAsync(source);
        var observed = ObserveAsync(observing, new Subscription { Machine = "b" });
        await NextWithdrawalAsync(target);

        await observing.DisposeAsync();

        await Assert.ThrowsAnyAsync<Exception>(() => observed.InTime());
        await CloseAsync(target, grant.Route);
        await CloseAsync(source, grant.Route);
        await GrantAsync(source);
    }
}
