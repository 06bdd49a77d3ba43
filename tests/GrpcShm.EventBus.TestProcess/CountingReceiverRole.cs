namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process with one machine, which says the number of each event that it has handled, and gives it as its state.
/// </summary>
internal static class CountingReceiverRole
{
    public static async Task<int> RunAsync(EventWay way, string address, string machineId)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel, way.NewOptions());
        await client.ConnectAsync();
        var last = -1;
        var ready = new TaskCompletionSource();
        await client.RegisterMachineAsync(machineId, async received =>
        {
            // The first event may come before the process has said that it is ready.
            await ready.Task;
            if (received.EventName == EventWay.OpeningEvent)
            {
                return;
            }

            // End to end: what was handled is not handled again, whoever repeats it.
            if (received.Version > last)
            {
                last = received.Version;
                Console.WriteLine($"{received.Version}");
            }

            received.NewState = $"{received.Version}";
        });
        Console.WriteLine("ready");
        ready.SetResult();
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
