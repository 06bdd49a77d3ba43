namespace GrpcShm.EventBus.TestProcess;

/// <summary>A process that holds the hub. To the line "memory" it says how many bytes of objects it has.</summary>
internal static class HubRole
{
    // Tests hold receivers up on purpose. No sender may be refused because the machine is busy meanwhile.
    private static readonly TimeSpan MaxBlockTime = TimeSpan.FromMinutes(5);

    public static async Task<int> RunAsync(string socket, int? maxEventSize = null)
    {
        await using var server = await HubServer.StartAsync(socket, options =>
        {
            options.MaxBlockTime = MaxBlockTime;
            options.MaxEventSize = maxEventSize ?? options.MaxEventSize;
        });
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
