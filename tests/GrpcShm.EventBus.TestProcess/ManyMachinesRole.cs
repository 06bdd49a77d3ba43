namespace GrpcShm.EventBus.TestProcess;

/// <summary>A process with very many machines, each of which answers requests with its id.</summary>
internal static class ManyMachinesRole
{
    public static async Task<int> RunAsync(string address, int count)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel);
        await client.ConnectAsync();
        await Task.WhenAll(
            Enumerable.Range(0, count).Select(i => client.RegisterMachineAsync($"machine-{i}", received =>
        {
            received.Reply(received.TargetMachineId);
            return Task.CompletedTask;
        })));
        Console.WriteLine("ready");
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
