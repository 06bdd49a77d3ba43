using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Observers of machines whose processes do not confirm in time.</summary>
public sealed class HubUnconfirmedTests : HubLaneTest
{
    protected override void Configure(EventBusOptions options)
    {
        base.Configure(options);
        options.RouteWithdrawalTimeout = TimeSpan.FromMilliseconds(50);
    }

    [Fact]
    public async Task Observe_WithoutAConfirmation_FailsByName_AndMayBeTriedAgain()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        var grant = await GrantAsync(source);

        var refused = await ObserveAsync(observing, new Subscription { All = new AllEvents() }).InTime();
        await observing.CompletedAsync().InTime();

        Assert.Equal((StatusCode.Unavailable, "b"), ((StatusCode)refused.StatusCode, refused.MachineId));
        Assert.Contains("'b'", refused.Message, StringComparison.Ordinal);

        // It stands no more, and its number is free.
        await source.SendAsync(SendTo("b")).InTime();
        Assert.NotNull((await target.Deliveries.ReadAsync().InTime()).Event);
        Assert.False(observing.Deliveries.TryRead(out _));
        var again = await ObserveAsync(observing, new Subscription { All = new AllEvents() }).InTime();
        Assert.Equal((int)StatusCode.Unavailable, again.StatusCode);
        await CloseAsync(target, grant.Route);
        var third = await ObserveAsync(observing, new Subscription { All = new AllEvents() }).InTime();
        Assert.Equal("", third.Message);
    }

    [Fact]
    public async Task Observe_ByACall_FailsByName()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await GrantAsync(source);
        using var call = Client.Subscribe(
            new SubscribeRequest { Subscription = new Subscription { All = new AllEvents() } });

        var failure = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).InTime());

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
        Assert.Contains("'b'", failure.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Observe_ByTheHubsProcess_FailsByName_AndGetsNothing()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        var grant = await GrantAsync(source);

        var failure = await Assert.ThrowsAsync<EventBusException>(
            () => Server.Hub.SubscribeToAllAsync(static _ => Task.CompletedTask).InTime());

        Assert.Equal((StatusCode.Unavailable, "b"), (failure.StatusCode, failure.MachineId));
        await CloseAsync(target, grant.Route);
        await CloseAsync(source, grant.Route);
        await GrantAsync(source);
    }

    [Fact]
    public async Task Observe_AnEventClient_FailsByName()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await GrantAsync(source);
        await using var client = new EventClient(Connect());
        await client.ConnectAsync().InTime();

        var failure = await Assert.ThrowsAsync<EventBusException>(
            () => client.SubscribeToAllAsync(static _ => Task.CompletedTask).InTime());

        Assert.Equal((StatusCode.Unavailable, "b"), (failure.StatusCode, failure.MachineId));
    }
}
