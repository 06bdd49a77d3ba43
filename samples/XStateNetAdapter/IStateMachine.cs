namespace Samples.XStateNetAdapter;

/// <summary>What the orchestrator needs of a state machine.</summary>
internal interface IStateMachine
{
    string Id { get; }

    /// <summary>Handles an event.</summary>
    /// <returns>The state afterwards.</returns>
    Task<string> HandleAsync(string eventName, object? payload);
}
