namespace GrpcShm.Transport.Handshake;

/// <summary>What flows through the rings, as bits that a client may combine in its offer.</summary>
[Flags]
internal enum ConnectionModes : uint
{
    None = 0,

    /// <summary>The bytes of an HTTP/2 connection, or of whatever else both sides agree on.</summary>
    Bytes = 1,

    /// <summary>Calls, framed straight into the rings.</summary>
    Calls = 2,
}
