namespace GrpcShm.EventBus.TestProcess;

/// <summary>A process that holds the hub. To the line "memory" it says how many bytes of objects it has.</summary>
internal static class HubRole
{
    public static async Task<int> RunAsync(string socket)
    {
        await using var server = await HubServer.StartAsync(socket);
        Console.WriteLine("ready");
        while (await Task.Run(Console.In.ReadLine) is { } line)
        {
            if (line == "memory")
            {
                Console.WriteLine(GC.GetTotalMemory(forceFullCollection: true));
            }
        }

        return 0;
    }
}
