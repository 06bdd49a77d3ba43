namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>A machine that makes itself known.</summary>
internal sealed record PipeRegistration(string MachineId, string ProcessName, int ProcessId, DateTime RegisteredAt);
