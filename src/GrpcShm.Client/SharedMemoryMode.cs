namespace GrpcShm.Client;

/// <summary>What a client puts into the rings.</summary>
public enum SharedMemoryMode
{
    /// <summary>Direct mode if the server offers it, else HTTP/2.</summary>
    Auto,

    /// <summary>Calls, framed straight into the rings. A server that does not offer it is an error.</summary>
    Direct,

    /// <summary>The bytes of an HTTP/2 connection.</summary>
    Http2,
}
