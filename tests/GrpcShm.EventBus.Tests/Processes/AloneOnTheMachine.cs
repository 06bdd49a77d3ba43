namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>What runs while no other test does.</summary>
[CollectionDefinition(nameof(SoakTests), DisableParallelization = true)]
public sealed class AloneOnTheMachine;
