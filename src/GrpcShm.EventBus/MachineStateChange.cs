namespace GrpcShm.EventBus;

/// <summary>One change of state of a machine.</summary>
public sealed class MachineStateChange
{
    /// <summary>The state that was left; empty for the machine's first state.</summary>
    public string OldState { get; init; } = "";

    /// <summary>The state that was entered.</summary>
    public required string NewState { get; init; }

    /// <summary>The transition that was taken; often the name of the event that led to it.</summary>
    public string Transition { get; init; } = "";

    /// <summary>
    /// The machine's context after the change, of any type that a payload may have; or <see langword="null"/>.
    /// </summary>
    public object? Context { get; init; }

    /// <summary>How long the machine had been in the old state.</summary>
    public TimeSpan Duration { get; init; }
}
