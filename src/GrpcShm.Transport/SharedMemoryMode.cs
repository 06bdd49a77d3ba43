namespace GrpcShm.Transport;

/// <summary>
/// Which protocol goes through the rings. Client and server each have such an option; the handshake takes a protocol
/// that both allow.
/// </summary>
public enum SharedMemoryMode
{
    /// <summary>Direct mode for gRPC calls if the other side allows it, HTTP/2 for everything else.</summary>
    Auto,

    /// <summary>
    /// Direct mode alone: gRPC calls, framed straight into the rings. A peer that does not allow direct mode is
    /// refused, and so is a request that is no gRPC call.
    /// </summary>
    Direct,

    /// <summary>HTTP/2 alone: the bytes of an HTTP/2 connection.</summary>
    Http2,
}
