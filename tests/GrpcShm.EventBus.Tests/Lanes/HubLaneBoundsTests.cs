using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>How many lanes and routes there may be.</summary>
public sealed class HubLaneBoundsTests : HubLaneTest
{
    protected override void Configure(EventBusOptions options)
    {
        base.Configure(options);
        options.MaxLanesPerSession = 2;
        options.MaxRoutesPerSession = 3;
        options.MaxRoutes = 5;
    }

    [Fact]
    public async Task Request_MoreLanesThanASessionMayHave_IsRefused()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var one = await OpenMachineWithLanesAsync("b");
        var two = await OpenMachineWithLanesAsync("c");
        await using var three = await OpenMachineWithLanesAsync("d");
        await GrantAsync(source);
        var second = await GrantAsync(source, target: "c");

        var refused = await RequestAsync(source, target: "d");
        var alsoRefused = await RequestAsync(three, "d", "a");

        AssertRefused(StatusCode.ResourceExhausted, true, refused);
        AssertRefused(StatusCode.ResourceExhausted, true, alsoRefused);
        Assert.Contains(nameof(EventBusOptions.MaxLanesPerSession), refused.Message, StringComparison.Ordinal);

        // A lane ends with its sessions, and makes room.
        await two.DisposeAsync();
        await CloseAsync(source, second.Route);
        await TimeLimit.UntilAsync(() => Table.Lanes == 1);
        await GrantAsync(source, target: "d");
    }

    [Fact]
    public async Task Request_MoreRoutesThanASessionMayHave_IsRefusedUntilOneIsClosed()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");
        foreach (var number in new uint[] { 2, 3, 4 })
        {
            await SubscribeAsync(target, new Subscription { Number = number, Inbox = $"b{number}" });
        }

        var first = await GrantAsync(source);
        await GrantAsync(source, target: "b2");
        await GrantAsync(source, target: "b3");

        var refused = await RequestAsync(source, target: "b4");
        await CloseAsync(source, first.Route);
        var stillRefused = await RequestAsync(source, target: "b4");
        await CloseAsync(target, first.Route);

        // It counted for the target until that had confirmed.
        AssertRefused(StatusCode.ResourceExhausted, true, refused);
        AssertRefused(StatusCode.ResourceExhausted, true, stillRefused);
        Assert.Contains(nameof(EventBusOptions.MaxRoutesPerSession), refused.Message, StringComparison.Ordinal);
        await GrantAsync(source, target: "b4");
    }

    [Fact]
    public async Task Request_MoreRoutesThanTheHubMayHave_IsRefused()
    {
        await using var one = await OpenMachineWithLanesAsync("a");
        await using var two = await OpenMachineWithLanesAsync("b");
        await using var three = await OpenMachineWithLanesAsync("c");
        await using var four = await OpenMachineWithLanesAsync("d");
        await GrantAsync(one, "a", "b");
        await GrantAsync(two, "b", "a");
        await GrantAsync(three, "c", "d");
        await GrantAsync(four, "d", "c");
        await GrantAsync(two, "b", "c");

        var refused = await RequestAsync(four, "d", "a");

        AssertRefused(StatusCode.ResourceExhausted, true, refused);
        Assert.Contains($"5 ({nameof(EventBusOptions.MaxRoutes)})", refused.Message, StringComparison.Ordinal);
    }
}
