namespace GrpcShm.Client;

/// <summary>What a client puts into the rings.</summary>
public enum SharedMemoryMode
{
    /// <summary>Direct mode for gRPC calls if the server offers it, HTTP/2 for all else.</summary>
    Auto,

    /// <summary>
    /// gRPC calls, framed straight into the rings. A server that does not offer it is an error, and so is any other request.
    /// </summary>
    Direct,

    /// <summary>The bytes of an HTTP/2 connection.</summary>
    Http2,
}
