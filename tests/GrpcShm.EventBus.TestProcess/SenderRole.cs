using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>A process that sends numbered events as fast as it can, and says "done" when all are accepted.</summary>
internal static class SenderRole
{
    private const int Batch = 100;

    public static async Task<int> RunAsync(string socket, string source, string target, int count)
    {
        using var channel = HubChannel.To(socket);
        await using var session = new SessionClient(channel);
        Console.WriteLine("ready");
        for (var sent = 0; sent < count; sent += Batch)
        {
            var commands = Enumerable.Range(sent, Math.Min(Batch, count - sent)).Select(number => new SessionCommand
            {
                Send = new Event { Name = "N", Source = source, Target = target, Version = (uint)number },
            });
            await session.SendAsync([.. commands]);
        }

        await session.CompletedAsync();
        Console.WriteLine("done");
        await Console.In.ReadToEndAsync();
        return session.Failures.IsEmpty ? 0 : 1;
    }
}
