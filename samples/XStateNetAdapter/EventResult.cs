namespace Samples.XStateNetAdapter;

/// <summary>What came of an event that the orchestrator sent, as XStateNet's own orchestrator says it.</summary>
internal sealed record EventResult(bool Success, string NewState, string? ErrorMessage);
