namespace GrpcShm.Transport.Handshake;

/// <summary>Features that a client may ask for, as bits; a server ignores bits that it does not know.</summary>
[Flags]
internal enum ConnectionFeatures : uint
{
    None = 0,

    /// <summary>Each frame has a checksum. In direct mode only.</summary>
    Checksums = 1,

    /// <summary>
    /// The client asks, and the server confirms, that the server's end of the rings speaks HTTP/2 and nothing else. Not
    /// in direct mode.
    /// </summary>
    Http2Alone = 2,
}
