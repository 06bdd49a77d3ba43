namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>The registration of a machine.</summary>
internal sealed record PipeRegistration(string MachineId, string ProcessName, int ProcessId, DateTime RegisteredAt);
