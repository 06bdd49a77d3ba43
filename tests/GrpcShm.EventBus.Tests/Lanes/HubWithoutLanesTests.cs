using Grpc.Core;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>A hub that is told to offer no lanes.</summary>
public sealed class HubWithoutLanesTests : HubLaneTest
{
    protected override void Configure(EventBusOptions options)
    {
        base.Configure(options);
        options.OffersLanes = false;
    }

    [Fact]
    public async Task Request_WithoutLanes_IsUnimplemented()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");

        Assert.False((await source.Opened.InTime()).OffersLanes);
        AssertRefused(StatusCode.Unimplemented, false, await RequestAsync(source));
        Assert.False(target.Notices.TryRead(out _));
    }
}
