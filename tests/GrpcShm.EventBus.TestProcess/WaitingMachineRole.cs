using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process with one machine, whose handler says "begun" at the event "BEGIN" and, once it is told to go on by a line,
/// waits for another machine. Its new state is the status of that wait and its message. It first has a lane carry its
/// events, if it takes lanes: when it has said "ready", and before it says "open".
/// </summary>
internal static class WaitingMachineRole
{
    public static async Task<int> RunAsync(EventWay way, string address, string machineId, string awaited)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel, way.NewOptions());
        var goOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await client.ConnectAsync();
        await client.RegisterMachineAsync(machineId, async received =>
        {
            if (received.EventName != "BEGIN")
            {
                return;
            }

            Console.WriteLine("begun");
            await goOn.Task;
            var options = new EventSendOptions
            {
                Acknowledgement = AcknowledgementLevel.Processed, Timeout = TimeSpan.FromMinutes(5),
            };
            try
            {
                await client.SendEventAsync(machineId, awaited, "NEXT", null, options);
                received.NewState = "OK";
            }
            catch (EventBusException exception)
            {
                received.NewState = $"{exception.StatusCode}: {exception.Message}";
            }
        });
        Console.WriteLine("ready");
        await Console.In.ReadLineAsync();
        await way.OpenAsync(client, machineId, awaited);
        Console.WriteLine("open");
        await Console.In.ReadLineAsync();
        goOn.SetResult();
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
