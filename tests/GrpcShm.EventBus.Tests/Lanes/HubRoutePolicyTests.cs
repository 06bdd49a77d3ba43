using System.Collections.Concurrent;
using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>What an access policy says of routes.</summary>
public sealed class HubRoutePolicyTests : HubLaneTest
{
    private readonly ConcurrentQueue<EventBusAccess> _asked = new();
    private volatile Func<EventBusAccess, bool> _decide = static _ => true;

    protected override void Configure(EventBusOptions options)
    {
        base.Configure(options);
        options.PolicyKnowsRoutes = true;
        options.Authorize = access =>
        {
            _asked.Enqueue(access);
            return _decide(access);
        };
    }

    [Fact]
    public async Task Request_ThatThePolicyAllows_IsGranted_AndItKnowsBothMachines()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        _asked.Clear();

        await GrantAsync(source);

        Assert.Equal(
            [
                (EventBusAction.SendTo, EventBusSubject.Machine, "b", ""),
                (EventBusAction.OpenRoute, EventBusSubject.Machine, "b", "a"),
            ],
            _asked.Select(static access => (access.Action, access.Subject, access.Name, access.Source)));
    }

    [Theory]
    [InlineData(EventBusAction.OpenRoute)]
    [InlineData(EventBusAction.SendTo)]
    public async Task Request_ThatThePolicyForbids_IsDenied(EventBusAction forbidden)
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        _decide = access => access.Action != forbidden;

        var outcome = await RequestAsync(source);

        AssertRefused(StatusCode.PermissionDenied, false, outcome);
        Assert.Equal(0, Table.AllRoutes);
    }

    [Fact]
    public async Task Request_WhenThePolicyThrows_IsDenied()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        _decide = static access =>
            access.Action == EventBusAction.OpenRoute ? throw new InvalidOperationException("broken") : true;

        AssertRefused(StatusCode.PermissionDenied, false, await RequestAsync(source));
    }

    [Fact]
    public async Task Request_WhenThePolicyKnowsNoRoutes_IsUnimplementedThoughItSaysYesToAll()
    {
        Hub.Options.PolicyKnowsRoutes = false;
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        _asked.Clear();

        AssertRefused(StatusCode.Unimplemented, false, await RequestAsync(source));

        Assert.Empty(_asked);
        Assert.False((await source.Opened.InTime()).OffersLanes);
    }

    [Fact]
    public async Task Request_WithAnInvalidName_DoesNotReachThePolicy()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        _asked.Clear();

        AssertRefused(StatusCode.InvalidArgument, false, await RequestAsync(source, "a\u0007"));

        Assert.DoesNotContain(_asked, static access => access.Action == EventBusAction.OpenRoute);
    }

    [Fact]
    public async Task Observe_TheRestOfTheMessageTakesLong_TheEndsOfRoutesAreToldAtOnce()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        await using var observing = OpenSession();
        var grant = await GrantAsync(source);
        using var goOn = new ManualResetEventSlim();
        _decide = access => access.Action != EventBusAction.PublishTo || goOn.Wait(TimeLimit.Value);

        await observing.SendAsync(
            new SessionCommand { Subscribe = new Subscription { Number = 9, All = new AllEvents() } },
            new SessionCommand
            {
                Publish = new Publication { All = new AllMachines(), Event = new Event { Name = "E" } },
            }).InTime();

        // The time in which the target has to confirm runs already.
        Assert.Equal(grant.Route, (await NextWithdrawalAsync(target)).Route);
        goOn.Set();
        await CloseAsync(target, grant.Route);
        await observing.CompletedAsync().InTime();
    }
}
