using System.Globalization;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process that gives itself out for another one: it opens its session by the other's instance id, and sends with the
/// other's sender numbers and the largest sequence. It says how that ended, one line for each, then how it ends to send
/// as the other's machine.
/// </summary>
internal static class ForgerRole
{
    public static async Task<int> RunAsync(
        string address, string instanceId, string source, string target, string[] senders)
    {
        using var channel = HubChannel.To(address);
        await using var session = new SessionClient(channel);
        await session.ExecuteAsync(
            new SessionCommand { Open = new OpenSession { InstanceId = instanceId, Name = "forger" } });
        Console.WriteLine("ready");
        foreach (var sender in senders)
        {
            await SayAsync(session, new Event
            {
                Name = "FORGED",
                Target = target,
                Sender = ulong.Parse(sender, CultureInfo.InvariantCulture),
                Sequence = ulong.MaxValue,
            });
        }

        await SayAsync(session, new Event { Name = "FORGED", Source = source, Target = target });
        await Console.In.ReadToEndAsync();
        return 0;
    }

    private static async Task SayAsync(SessionClient session, Event forged)
    {
        var outcome = await session.ExecuteAsync(new SessionCommand
        {
            Send = forged, Acknowledgement = AcknowledgementLevel.Processed,
        });
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{outcome.StatusCode} {outcome.MachineId}"));
    }
}
