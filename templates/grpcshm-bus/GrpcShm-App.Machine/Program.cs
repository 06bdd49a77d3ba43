using GrpcShm.Client;
using GrpcShm.EventBus;
using XStateNet.Events.V1;

if (args.Length is 0 or > 2)
{
    Console.Error.WriteLine(
        "Name this machine, and another one if this one is to send events to it: 'oven', or 'robot oven'.");
    return 2;
}

var name = args[0];

// A machine may be started before its hub.
var options = new SharedMemoryClientOptions { WaitForServer = TimeSpan.FromSeconds(10) };
using var channel = SharedMemoryChannel.ForAddress("shm:endpoint-of-the-hub", options);
await using var bus = new EventClient(channel, new EventBusClientOptions { Name = $"process of {name}" });
try
{
    await bus.ConnectAsync();
    using var machine = await bus.RegisterMachineAsync(name, Handle);
    if (args.Length == 2)
    {
        await SendAsync(args[1]);
        return 0;
    }

    Console.WriteLine($"{name} waits for events. Press Ctrl+C to end.");
    await Task.Delay(Timeout.Infinite);
    return 0;
}
catch (EventBusException failure)
{
    Console.Error.WriteLine(failure.Message);
    return 1;
}

// What this machine does with an event. A second event is handled when the task of the first has completed.
Task Handle(BusEvent received)
{
    received.NewState = received.EventName == "HEAT" ? "hot" : "cold";
    Console.WriteLine($"{name} is {received.NewState} after {received.EventName} from {received.SourceMachineId}");
    return Task.CompletedTask;
}

async Task SendAsync(string target)
{
    // Each send waits until the other machine has handled the event, and so knows its new state.
    var sending = new EventSendOptions
    {
        Acknowledgement = AcknowledgementLevel.Processed,
        Timeout = TimeSpan.FromSeconds(10),
    };
    foreach (var eventName in new[] { "HEAT", "COOL" })
    {
        var result = await bus.SendEventAsync(name, target, eventName, payload: null, sending);
        Console.WriteLine($"{target} is {result.NewState} after {eventName}");
    }
}
