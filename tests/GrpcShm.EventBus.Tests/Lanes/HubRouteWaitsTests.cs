using Grpc.Core;
using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Observers that are refused, since observers wait for too many routes already.</summary>
public sealed class HubRouteWaitsTests : HubLaneTest
{
    // The hub allows sixteen times as many waits as routes, and four times as many for one session.
    private const int Sessions = 4;
    private const int WaitsOfEach = 8;

    protected override void Configure(EventBusOptions options)
    {
        base.Configure(options);
        options.MaxRoutes = 2;
        options.RouteWithdrawalTimeout = TimeSpan.FromMinutes(10);
    }

    [Fact]
    public async Task Observe_ByACallThatIsRefused_TellsBothEndsOfTheRoute()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var other = await OpenMachineWithLanesAsync("c");
        await GrantAsync(source);
        var grant = await GrantAsync(source, target: "c");
        var observing = new List<SessionClient>();
        for (var i = 0; i < Sessions; i++)
        {
            var session = OpenSession();
            observing.Add(session);
            for (uint number = 1; number <= WaitsOfEach; number++)
            {
                _ = ObserveAsync(session, new Subscription { Number = number, Machine = "b" });
            }

            await PassAsync(session);
        }

        await NextWithdrawalAsync(source);
        using var call = Client.Subscribe(
            new SubscribeRequest { Subscription = new Subscription { Machine = "c" } });
        var refused = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).InTime());

        // Nothing else wakes the two sessions.
        Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
        Assert.Equal(grant.Route, (await NextWithdrawalAsync(source)).Route);
        Assert.Equal(grant.Route, (await NextWithdrawalAsync(other)).Route);
        foreach (var session in observing)
        {
            await session.DisposeAsync();
        }
    }
}
