using System.Globalization;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process with a machine that says the size of each event's payload. It answers a request by as many bytes as the
/// name of the request says.
/// </summary>
internal static class AnsweringMachineRole
{
    public static async Task<int> RunAsync(EventWay way, string address, string machineId)
    {
        using var channel = HubChannel.To(address);
        await using var client = new EventClient(channel, way.NewOptions());
        await client.ConnectAsync();
        await client.RegisterMachineAsync(machineId, received =>
        {
            if (received.EventName == EventWay.OpeningEvent)
            {
                return Task.CompletedTask;
            }

            Console.WriteLine($"{received.EventName} {((byte[])received.Payload!).Length}");
            if (received.IsRequest)
            {
                received.Reply(new byte[int.Parse(received.EventName, CultureInfo.InvariantCulture)]);
            }

            return Task.CompletedTask;
        });
        Console.WriteLine("ready");
        await Console.In.ReadToEndAsync();
        return 0;
    }
}
