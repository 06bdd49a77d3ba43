namespace GrpcShm.EventBus.TestProcess;

/// <summary>A process with a machine that answers each request with the bytes that came with it.</summary>
internal static class EchoingMachineRole
{
    public static async Task<int> RunAsync(EventWay way, string address, string machineId)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel, way.NewOptions());
        await client.ConnectAsync();
        await client.RegisterMachineAsync(machineId, static received =>
        {
            if (received.IsRequest)
            {
                received.Reply(received.GetPayload<byte[]>());
            }

            return Task.CompletedTask;
        });
        Console.WriteLine("ready");
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
