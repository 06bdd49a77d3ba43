namespace GrpcShm.EventBus.TestProcess;

/// <summary>A process that sends numbered events until it ends or is killed.</summary>
internal static class CountingSenderRole
{
    private const int Window = 256;

    public static async Task<int> RunAsync(string address, string source, string target, int first)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel);
        await client.ConnectAsync();
        Console.WriteLine("ready");
        // The console's own asynchronous reads block.
        var ending = Task.Run(Console.In.ReadToEnd);
        for (var number = first; !ending.IsCompleted;)
        {
            Task last = Task.CompletedTask;
            for (var i = 0; i < Window; i++, number++)
            {
                last = client.SendEventAsync(source, target, "N", null, new EventSendOptions { Version = number });
            }

            await last;
        }

        return 0;
    }
}
