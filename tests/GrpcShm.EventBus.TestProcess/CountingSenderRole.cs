namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process with a machine that sends numbered events until the process ends or is killed. Its first events go by the
/// hub. It says "over a lane" once a lane carries some.
/// </summary>
internal static class CountingSenderRole
{
    private const int Window = 256;

    public static async Task<int> RunAsync(EventWay way, string address, string source, string target, int first)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel, way.NewOptions());
        await client.ConnectAsync();
        await client.RegisterMachineAsync(source, static _ => Task.CompletedTask);
        Console.WriteLine("ready");
        // The console's own asynchronous reads block.
        var ending = Task.Run(Console.In.ReadToEnd);
        var isSaid = false;
        for (var number = first; !ending.IsCompleted;)
        {
            Task last = Task.CompletedTask;
            for (var i = 0; i < Window; i++, number++)
            {
                last = client.SendEventAsync(source, target, "N", null, new EventSendOptions { Version = number });
            }

            await last;
            if (!isSaid && way.Events > 0)
            {
                Console.WriteLine("over a lane");
                isSaid = true;
            }
        }

        return 0;
    }
}
