using GrpcShm.EventBus.TestProcess;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>Handlers of two processes that wait for each other's machines.</summary>
public sealed class WaitCircleProcessTests
{
    private static readonly EventSendOptions Processed = new()
    {
        Acknowledgement = AcknowledgementLevel.Processed, Timeout = TimeSpan.FromMinutes(5),
    };

    [Theory]
    [InlineData("shm", 1)]
    [InlineData("shm", 2)]
    [InlineData("uds", 2)]
    [InlineData("lane", 1)]
    [InlineData("lane", 2)]
    public async Task SendEvent_HandlersOfTwoProcessesWaitInACircle_OneFailsAtOnceByTheNames(
        string name, int machinesHere)
    {
        using var way = TestedWay.Of(name);
        var last = $"m{machinesHere}";
        await using var hub = await HubProcess.StartAsync(name);
        await using var process = await way.StartAsync("waiting-machine", hub.Address, last, "m0");
        using var channel = HubChannel.To(hub.Address);
        await using var clientEnd = new EventClient(channel, way.NewOptions()).InTime(out var client);
        await client.ConnectAsync().InTime();
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var i = 0; i < machinesHere; i++)
        {
            var (source, target) = ($"m{i}", $"m{i + 1}");
            await client.RegisterMachineAsync(source, async received =>
            {
                if (received.EventName != "BEGIN")
                {
                    return;
                }

                await goOn.Task;
                try
                {
                    await client.SendEventAsync(source, target, "NEXT", null, Processed);
                    received.NewState = "OK";
                }
                catch (EventBusException exception)
                {
                    received.NewState = $"{exception.StatusCode}: {exception.Message}";
                }
            }).InTime();
        }

        await process.WriteLineAsync("open");
        Assert.Equal("open", await process.ReadLineAsync());
        await way.OpenAsync(client, $"m{machinesHere - 1}", last).InTime();
        var handled = Enumerable.Range(0, machinesHere + 1)
            .Select(i => client.SendEventAsync("s", $"m{i}", "BEGIN", null, Processed)).ToArray();
        Assert.Equal("begun", await process.ReadLineAsync());
        goOn.SetResult();
        await process.WriteLineAsync("go");

        // Events that a handler waits for go by the hub, even with a lane open.
        var states = (await Task.WhenAll(handled).InTime()).Select(result => result.NewState).ToArray();

        var failure = Assert.Single(states, state => state != "OK");
        Assert.StartsWith("FailedPrecondition: ", failure, StringComparison.Ordinal);
        for (var i = 0; i <= machinesHere; i++)
        {
            Assert.Contains($"'m{i}'", failure, StringComparison.Ordinal);
        }
    }
}
