namespace Samples.XStateNetAdapter;

/// <summary>The part of a state machine that the orchestrator needs.</summary>
internal interface IStateMachine
{
    string Id { get; }

    /// <summary>Handles an event.</summary>
    /// <returns>The state afterwards.</returns>
    Task<string> HandleAsync(string eventName, object? payload);
}
