using System.Globalization;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process with one machine that takes lanes over shared memory. Its events have versions that count up. To a request
/// it replies which one it expects next, how many are missing, and how many were doubled or late.
/// </summary>
internal static class LaneReceiverRole
{
    public static async Task<int> RunAsync(string address, string machineId, int first, bool usesLanes)
    {
        using var channel = HubChannel.To(address);
        var options = new EventBusClientOptions { Lanes = usesLanes ? new SharedMemoryLanes() : null };
        await using var client = new EventClient(channel, options);
        await client.ConnectAsync();
        var (next, missing, late) = (first, 0, 0);
        await client.RegisterMachineAsync(machineId, received =>
        {
            if (received.IsRequest)
            {
                received.Reply(string.Create(CultureInfo.InvariantCulture, $"{next} {missing} {late}"));
                return Task.CompletedTask;
            }

            if (received.Version < next)
            {
                late++;
                return Task.CompletedTask;
            }

            missing += received.Version - next;
            next = received.Version + 1;
            return Task.CompletedTask;
        });
        Console.WriteLine("ready");
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
