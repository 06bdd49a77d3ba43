namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>What a client asks of the hub. Sent as its number.</summary>
internal enum PipeMessageType
{
    Register,
    Unregister,
    SendEvent,
    Subscribe,
}
