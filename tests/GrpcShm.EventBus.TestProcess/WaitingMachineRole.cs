using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process with one machine, whose handler says "begun" at the event "BEGIN" and, once it is told to go on by a line,
/// waits for another machine. Its new state is the status of that wait and its message.
/// </summary>
internal static class WaitingMachineRole
{
    public static async Task<int> RunAsync(string address, string machineId, string awaited)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel);
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
        goOn.SetResult();
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
