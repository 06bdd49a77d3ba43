namespace GrpcShm.Samples.Comparison.XStateNetPipe;

/// <summary>The kind of a client's request to the hub. It is sent as its number.</summary>
internal enum PipeMessageType
{
    Register,
    Unregister,
    SendEvent,
    Subscribe,
}
