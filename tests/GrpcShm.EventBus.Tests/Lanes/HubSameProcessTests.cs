using Grpc.Core;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Two sessions of one process, which need no lane.</summary>
public sealed class HubSameProcessTests : HubLaneTest
{
    protected override void Configure(EventBusOptions options)
    {
    }

    [Fact]
    public async Task Request_WithinOneProcess_IsRefused()
    {
        await using var source = await OpenMachineWithLanesAsync("a");
        await using var target = await OpenMachineWithLanesAsync("b");

        var outcome = await RequestAsync(source);

        AssertRefused(StatusCode.FailedPrecondition, false, outcome);
        Assert.Contains("same process", outcome.Message, StringComparison.Ordinal);
    }
}
