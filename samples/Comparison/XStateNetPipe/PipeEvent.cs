namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>An event from one machine to another.</summary>
internal sealed record PipeEvent(
    string SourceMachineId, string TargetMachineId, string EventName, object? Payload, DateTime Timestamp);
