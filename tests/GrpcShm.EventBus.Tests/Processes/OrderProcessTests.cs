using System.Threading.Channels;
using GrpcShm.EventBus.TestProcess;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>Two other processes send to one machine as fast as they can.</summary>
public sealed class OrderProcessTests
{
    private const int Count = 20_000;

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    [InlineData("lane")]
    public async Task SendEvent_FromTwoProcesses_ArrivesOnceAndInOrderForEachSender(string name)
    {
        using var way = TestedWay.Of(name);
        await using var hub = await HubProcess.StartAsync(name);
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(channel, way.NewOptions()).InTime(out var client);
        await client.ConnectAsync().InTime();
        var numbers = Channel.CreateUnbounded<(string Source, int Number)>();
        await client.RegisterMachineAsync(
            "m", received => numbers.Writer.WriteAsync((received.SourceMachineId, received.Version)).AsTask()).InTime();

        await using var first = await way.StartAsync("counting-sender", hub.Address, "first", "m", "0");
        await using var second = await way.StartAsync("counting-sender", hub.Address, "second", "m", "0");
        var overLanes = way.UsesLanes ? Task.WhenAll(first.ReadLineAsync(), second.ReadLineAsync()) : null;

        var next = new Dictionary<string, int> { ["first"] = 0, ["second"] = 0 };
        while (next.Values.Min() < Count || overLanes is { IsCompleted: false })
        {
            var (source, number) = await numbers.Reader.ReadAsync().InTime();
            Assert.Equal(next[source]++, number);
        }

        Assert.All(overLanes is null ? [] : await overLanes, static line => Assert.Equal("over a lane", line));
    }
}
