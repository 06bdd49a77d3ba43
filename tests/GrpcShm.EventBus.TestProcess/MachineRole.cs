using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>A process with one machine. It says each event that comes, and acknowledges none.</summary>
internal static class MachineRole
{
    public static async Task<int> RunAsync(string socket, string machineId, string instanceId)
    {
        using var channel = HubChannel.To(socket);
        await using var session = new SessionClient(channel);
        await session.ExecuteAsync(
            new SessionCommand { Open = new OpenSession { InstanceId = instanceId, Name = "machine role" } });
        var outcome = await session.ExecuteAsync(
            new SessionCommand { Subscribe = new Subscription { Number = 1, Inbox = machineId } });
        Console.WriteLine(outcome.StatusCode == 0 ? "ready" : $"refused {outcome.StatusCode}");
        _ = SayEventsAsync(session);
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private static async Task SayEventsAsync(SessionClient session)
    {
        await foreach (var delivery in session.Deliveries.ReadAllAsync())
        {
            Console.WriteLine($"event {delivery.Event.Name}");
        }
    }
}
