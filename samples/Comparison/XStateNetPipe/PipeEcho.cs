namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>
/// The payload of an event that needs an answer. The exchange itself does not know which answer belongs to which event.
/// </summary>
internal sealed record PipeEcho(long Id, byte[] Body);
