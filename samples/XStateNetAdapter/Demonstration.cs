using System.Globalization;
using Newtonsoft.Json.Linq;
using Samples.XStateNetAdapter.Bus;

namespace Samples.XStateNetAdapter;

/// <summary>
/// The work of the first process: it starts the other processes, and shows the orchestrator and the bus.
/// </summary>
internal static class Demonstration
{
    private static readonly TimeSpan UsualTime = TimeSpan.FromSeconds(3);

    // This is much longer than an event takes, also on a busy machine.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync(TransportKind kind, CancellationToken cancellationToken)
    {
        var name = kind.ToString().ToLower(CultureInfo.InvariantCulture);
        Announcement.Print(
            Console.Out,
            $"An orchestrator in this process sends events over {name} to machines here and in another process. Then "
                + "the same is done through XStateNet's own interface, IMessageBus.",
            "You will see each event, and the new state of its machine or the reason of a failure.",
            UsualTime);
        var endpoint = SampleEndpoint.CreateUnique(kind);
        await using var hub = await SampleProcess.StartAsync(
            ["hub", "--transport", name, endpoint.Address], cancellationToken);
        endpoint = endpoint with { Address = hub.Greeting };
        await using var machines = await SampleProcess.StartAsync(
            ["machines", "--transport", name, endpoint.Address], cancellationToken);

        using var channel = endpoint.CreateChannel();
        var good = await OrchestrateAsync(channel, machines.Id);
        good &= await UseMessageBusAsync(channel);
        Console.WriteLine(good ? "All as expected." : "Something went wrong.");
        return good ? 0 : 1;
    }

    private static async Task<bool> OrchestrateAsync(Grpc.Core.ChannelBase channel, int processId)
    {
        await using var client = Roles.CreateClient(channel, "orchestrator");
        await client.ConnectAsync();
        await using var orchestrator = new EventBusOrchestrator(client);
        await orchestrator.RegisterMachineAsync(new TrafficLight("here"));

        Console.WriteLine($"Process {Environment.ProcessId}: the orchestrator and the machine 'here'");
        Console.WriteLine($"Process {processId}: the machines 'north' and 'south'");
        return await ShowAsync(orchestrator, "here", "TIMER", null, "green")
            & await ShowAsync(orchestrator, "north", "TIMER", null, "green")
            & await ShowAsync(orchestrator, "north", "TIMER", null, "yellow")
            & await ShowAsync(orchestrator, "south", "SET", new JObject { ["state"] = "blinking" }, "blinking")
            & await ShowAsync(orchestrator, "south", "FAIL", null, null)
            & await ShowAsync(orchestrator, "nowhere", "TIMER", null, null);
    }

    // The same through the interface of XStateNet: a machine, an event for this machine, and an event for all.
    private static async Task<bool> UseMessageBusAsync(Grpc.Core.ChannelBase channel)
    {
        using IMessageBus bus = new GrpcMessageBus(Roles.CreateClient(channel, "bus"));
        await bus.ConnectAsync();
        var received = new TaskCompletionSource<MachineEvent>();
        var published = new TaskCompletionSource<MachineEvent>();
        using var subscription = await bus.SubscribeAsync("listener", message =>
        {
            (message.EventName == "NEWS" ? published : received).TrySetResult(message);
            return Task.CompletedTask;
        });
        await bus.SendEventAsync("talker", "listener", "HELLO", new JObject { ["text"] = "hello" });
        await bus.PublishAsync("NEWS");
        var hello = await received.Task.WaitAsync(Patience);
        var news = await published.Task.WaitAsync(Patience);
        var text = (hello.Payload as JObject)?.Value<string>("text");
        Console.WriteLine(PlainText.Wrap(
            $"IMessageBus: '{hello.SourceMachineId}' says {hello.EventName} with '{text}' to "
                + $"'{hello.TargetMachineId}', and {news.EventName} came for all.",
            indent: 2));
        await bus.DisconnectAsync();
        return text == "hello";
    }

    private static async Task<bool> ShowAsync(
        EventBusOrchestrator orchestrator, string target, string eventName, object? payload, string? expected)
    {
        var result = await orchestrator.SendEventAsync(
            "", target, eventName, payload, (int)Patience.TotalMilliseconds);
        var outcome = result.Success ? result.NewState : "failed: " + result.ErrorMessage;
        Console.WriteLine(PlainText.Wrap($"  {eventName,-6} to {target,-8} -> {outcome}", indent: 22));
        return result.Success ? result.NewState == expected : expected is null;
    }
}
