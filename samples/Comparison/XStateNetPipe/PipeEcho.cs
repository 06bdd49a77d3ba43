namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>
/// The payload of an event that is to be answered; the exchange itself does not know which answer belongs to which.
/// </summary>
internal sealed record PipeEcho(long Id, byte[] Body);
