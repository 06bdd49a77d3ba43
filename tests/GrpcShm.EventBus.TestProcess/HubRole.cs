namespace GrpcShm.EventBus.TestProcess;

/// <summary>A process that holds the hub.</summary>
internal static class HubRole
{
    public static async Task<int> RunAsync(string socket)
    {
        await using var server = await HubServer.StartAsync(socket);
        Console.WriteLine("ready");
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
