using XStateNet.Events.V1;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A process with one machine, whose handler stops at the event "HOLD" until it is told to go on by a line. It answers
/// "REPORT" with the numbers of the events that it has handled, and before these how many it was told were dropped.
/// </summary>
internal static class HeldMachineRole
{
    public static async Task<int> RunAsync(EventWay way, string address, string machineId, string policy, int capacity)
    {
        using var channel = HubChannel.To(address);
        var options = way.NewOptions();
        options.Name = "held";
        await using var client = new EventClient(channel, options);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var handled = new List<int>();
        var lost = 0;
        client.EventsLost += (_, loss) => Volatile.Write(ref lost, (int)loss.Dropped);
        await client.ConnectAsync();
        await client.RegisterMachineAsync(machineId, HandleAsync, new MachineOptions
        {
            MailboxCapacity = capacity, OverflowPolicy = Enum.Parse<OverflowPolicy>(policy),
        });
        Console.WriteLine("ready");
        await Task.Run(Console.In.ReadLine);
        release.SetResult();
        await Task.Run(Console.In.ReadToEnd);
        return 0;

        async Task HandleAsync(BusEvent received)
        {
            switch (received.EventName)
            {
                case "HOLD":
                    Console.WriteLine("held");
                    await release.Task;
                    break;
                case "REPORT":
                    received.Reply(handled.Prepend(Volatile.Read(ref lost)).ToArray());
                    break;
                case EventWay.OpeningEvent:
                    break;
                case "FAIL":
                    throw new InvalidOperationException("broken");
                default:
                    handled.Add(received.Version);
                    break;
            }

            received.NewState = received.EventName;
        }
    }
}
