using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Observers of machines whose processes do not confirm in time: these lose their sessions.</summary>
public sealed class HubUnconfirmedTests : HubLaneTest
{
    protected override void Configure(EventBusOptions options)
    {
        base.Configure(options);
        options.RouteWithdrawalTimeout = TimeSpan.FromMilliseconds(50);
    }

    [Fact]
    public async Task Observe_WithoutAConfirmation_StandsAndEndsTheTargetsSession()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        await GrantAsync(source);

        var outcome = await ObserveAsync(observing, new Subscription { All = new AllEvents() }).InTime();

        Assert.Equal("", outcome.Message);
        var refused = await source.ExecuteAsync(SendTo("b")).InTime();
        Assert.Equal(StatusCode.NotFound, (StatusCode)refused.StatusCode);
        await AssertEndedAsync(target);

        // The same process comes again.
        await using var next = await OpenMachineWithLanesAsync("b");
        await source.SendAsync(SendTo("b")).InTime();
        Assert.Equal("b", (await observing.Deliveries.ReadAsync().InTime()).Event.Target);
        Assert.NotNull((await next.Deliveries.ReadAsync().InTime()).Event);
    }

    [Fact]
    public async Task Observe_SourceDoesNotConfirm_ItsSessionStays()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        var grant = await GrantAsync(source);

        var observed = ObserveAsync(observing, new Subscription { All = new AllEvents() });
        await CloseAsync(target, grant.Route);
        Assert.Equal("", (await observed.InTime()).Message);

        await source.SendAsync(SendTo("b")).InTime();
        Assert.NotNull((await target.Deliveries.ReadAsync().InTime()).Event);
    }

    [Fact]
    public async Task Observe_ByACall_StandsAndEndsTheTargetsSession()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await GrantAsync(source);
        using var call = Client.Subscribe(
            new SubscribeRequest { Subscription = new Subscription { All = new AllEvents() } });

        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());

        await AssertEndedAsync(target);
    }

    [Fact]
    public async Task Observe_ByTheHubsProcess_StandsAndEndsTheTargetsSession()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await GrantAsync(source);

        using var subscription = await Server.Hub.SubscribeToAllAsync(static _ => Task.CompletedTask).InTime();

        await AssertEndedAsync(target);
    }

    [Fact]
    public async Task Observe_AnEventClient_StandsAndEndsTheTargetsSession()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await GrantAsync(source);
        await using var client = new EventClient(Connect());
        await client.ConnectAsync().InTime();

        using var subscription = await client.SubscribeToAllAsync(static _ => Task.CompletedTask).InTime();

        await AssertEndedAsync(target);
    }

    private static async Task AssertEndedAsync(SessionClient session)
    {
        var closing = await session.Closing.InTime();
        Assert.Equal(StatusCode.Unavailable, (StatusCode)closing.StatusCode);
        Assert.Contains("'b'", closing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Observe_TheTargetsConfirmationWaitsBehindItsOwnCommands_ItsSessionStays()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var silent = await OpenMachineWithLanesAsync("c");
        await using var slow = await OpenMachineWithLanesAsync(
            "slow", credit: 0, mailbox: new MailboxSettings { Capacity = 1 });
        await using var observing = OpenSession();
        var grant = await GrantAsync(source);
        await GrantAsync(source, target: "c");

        // The hub's reader of the target's session waits for room.
        await target.SendAsync(SendTo("slow", "b"), SendTo("slow", "b")).InTime();
        await TimeLimit.UntilAsync(() => Hub.Machines.TryGet("slow", out var machine) && machine!.Waiting == 1);
        var observed = ObserveAsync(observing, new Subscription { All = new AllEvents() });
        await NextWithdrawalAsync(target);
        var confirmed = CloseAsync(target, grant.Route);

        // By then the time is over.
        var closing = await silent.Closing.InTime();
        Assert.Contains("'c'", closing.Message, StringComparison.Ordinal);
        Assert.False(observed.IsCompleted);
        await slow.SendAsync(GrantCredit(5)).InTime();

        Assert.Equal("", (await confirmed).Message);
        Assert.Equal("", (await observed.InTime()).Message);
        await PassAsync(target);
    }
}
