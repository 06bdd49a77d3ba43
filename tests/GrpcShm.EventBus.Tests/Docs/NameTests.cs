namespace GrpcShm.EventBus.Tests.Docs;

/// <summary>Names that a file could not tell apart that uses XStateNet's namespaces and this library's.</summary>
public sealed class NameTests
{
    // The public types of XStateNet's buses: of its core, its shared memory, its named-pipe service, its distributed part.
    private static readonly string[] OfXStateNet =
    [
        "IMessageBus", "MachineEvent", "EventBusOrchestrator", "OrchestratedContext", "EventResult", "IStateMachine",
        "InProcessMessageBus", "DistributedMessageBus", "SharedMemoryOrchestrator",
        "IInterProcessMessageBus", "MachineRegistration", "HealthStatus", "InterProcessClient",
        "IStateMachineEventBus", "StateMachineEvent", "StateChangeEvent", "IEventBusSubscription", "IStateMachineTransport",
        "StateMachineMessage", "StateMachineEndpoint", "InMemoryEventBus", "OptimizedInMemoryEventBus", "RabbitMQEventBus",
        "StateMachine", "Transition", "Activity", "Actor",
    ];

    [Fact]
    public void PublicTypes_HaveNoNameOfXStateNetsBuses()
    {
        var ours = typeof(EventBusClient).Assembly.GetExportedTypes().Concat(typeof(EventHub).Assembly.GetExportedTypes())
            .Where(type => type.Namespace is "GrpcShm.EventBus" or "XStateNet.Events.V1").Select(type => type.Name).ToArray();

        Assert.Contains(nameof(BusEvent), ours);
        Assert.Empty(ours.Intersect(OfXStateNet));
    }
}
