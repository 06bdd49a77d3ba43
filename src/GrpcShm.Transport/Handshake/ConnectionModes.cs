namespace GrpcShm.Transport.Handshake;

/// <summary>Protocols in the rings, as bits that a client may combine in its offer.</summary>
[Flags]
internal enum ConnectionModes : uint
{
    None = 0,

    /// <summary>The bytes of an HTTP/2 connection, or of another protocol that both sides have agreed on.</summary>
    Bytes = 1,

    /// <summary>Calls, framed directly into the rings.</summary>
    Calls = 2,
}
