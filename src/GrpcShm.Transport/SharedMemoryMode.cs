namespace GrpcShm.Transport;

/// <summary>
/// What goes through the rings. Client and server each have such an option; the handshake takes what both allow.
/// </summary>
public enum SharedMemoryMode
{
    /// <summary>Direct mode for gRPC calls where the other side has it, HTTP/2 for everything else.</summary>
    Auto,

    /// <summary>
    /// Direct mode alone: gRPC calls, framed straight into the rings. A peer that does not have it is refused, and so
    /// is any other request.
    /// </summary>
    Direct,

    /// <summary>HTTP/2 alone: the bytes of an HTTP/2 connection.</summary>
    Http2,
}
