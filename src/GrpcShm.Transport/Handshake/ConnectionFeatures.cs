namespace GrpcShm.Transport.Handshake;

/// <summary>What a client may ask for beside the mode, as bits; those unknown to a server are ignored.</summary>
[Flags]
internal enum ConnectionFeatures : uint
{
    None = 0,

    /// <summary>Each frame has a checksum. In direct mode only.</summary>
    Checksums = 1,

    /// <summary>
    /// The client wants to know, and the server says, that what it has behind the rings speaks HTTP/2 and nothing else.
    /// Not in direct mode.
    /// </summary>
    Http2Alone = 2,
}
