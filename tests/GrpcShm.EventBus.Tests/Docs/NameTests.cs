namespace GrpcShm.EventBus.Tests.Docs;

/// <summary>Names that a file could not tell apart that uses XStateNet's namespaces and this library's.</summary>
public sealed class NameTests
{
    // The public types of XStateNet's buses: of its core, its shared memory, its named-pipe service, its distributed
    // part.
    private static readonly string[] OfXStateNet =
    [
        "IMessageBus", "MachineEvent", "EventBusOrchestrator", "OrchestratedContext", "EventResult", "IStateMachine",
        "InProcessMessageBus", "DistributedMessageBus", "SharedMemoryOrchestrator",
        "IInterProcessMessageBus", "MachineRegistration", "HealthStatus", "InterProcessClient",
        "IStateMachineEventBus", "StateMachineEvent", "StateChangeEvent", "IEventBusSubscription",
        "IStateMachineTransport",
        "StateMachineMessage", "StateMachineEndpoint", "InMemoryEventBus", "OptimizedInMemoryEventBus",
        "RabbitMQEventBus",
        "StateMachine", "Transition", "Activity", "Actor",
    ];

    [Fact]
    public void PublicTypes_HaveNoNameOfXStateNetsBuses()
    {
        var ours = typeof(EventClient).Assembly.GetExportedTypes().Concat(typeof(EventHub).Assembly.GetExportedTypes())
            .Where(type => type.Namespace is "GrpcShm.EventBus" or "XStateNet.Events.V1")
            .Select(type => type.Name)
            .ToArray();

        Assert.Contains(nameof(BusEvent), ours);
        Assert.Empty(ours.Intersect(OfXStateNet));
    }

    [Fact]
    public void PublicTypes_HaveNoNameOfTheGeneratedCode()
    {
        var types = typeof(EventClient).Assembly.GetExportedTypes().Concat(typeof(EventHub).Assembly.GetExportedTypes())
            .ToLookup(type => type.Namespace == "XStateNet.Events.V1", type => type.Name);

        Assert.Contains("EventBusClient", types[true]);
        Assert.Contains(nameof(EventClient), types[false]);
        Assert.Empty(types[false].Intersect(types[true]));
    }
}
