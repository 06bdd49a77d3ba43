namespace GrpcShm.EventBus.TestProcess;

/// <summary>A process with a machine that sends each event back, and awaits no acknowledgement.</summary>
internal static class EchoingMachineRole
{
    public static async Task<int> RunAsync(string address, string machineId)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel);
        var failed = 0;
        client.SendFailed += (_, _) => Interlocked.Increment(ref failed);
        await client.ConnectAsync();
        await client.RegisterMachineAsync(machineId, received =>
        {
            _ = client.SendEventAsync(machineId, received.SourceMachineId, received.EventName);
            return Task.CompletedTask;
        });
        Console.WriteLine("ready");
        await Task.Run(Console.In.ReadToEnd);
        return failed;
    }
}
