namespace Samples.XStateNetAdapter;

/// <summary>The result of an event that the orchestrator sent, in the form of XStateNet's own orchestrator.</summary>
internal sealed record EventResult(bool Success, string NewState, string? ErrorMessage);
