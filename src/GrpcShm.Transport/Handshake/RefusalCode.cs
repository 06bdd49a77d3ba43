namespace GrpcShm.Transport.Handshake;

/// <summary>Why a handshake has failed.</summary>
internal enum RefusalCode : ushort
{
    /// <summary>A code that this release does not know.</summary>
    None = 0,

    /// <summary>A message that makes no sense.</summary>
    Malformed = 1,

    /// <summary>No version that both sides speak.</summary>
    Version = 2,

    /// <summary>No mode that both sides speak.</summary>
    Mode = 3,

    /// <summary>The peer may not connect.</summary>
    NotAuthorized = 4,

    /// <summary>Too many handshakes at once. May be tried again.</summary>
    Busy = 5,

    /// <summary>The system lacks memory, handles or another resource for a connection. May be tried again.</summary>
    Resources = 6,

    /// <summary>The listener is closing. May be tried again.</summary>
    Closing = 7,

    /// <summary>The memory or the doorbells that the server offers break the protocol's rules.</summary>
    Segment = 8,

    /// <summary>The peer took too long.</summary>
    TimedOut = 9,

    /// <summary>The peer went away. Never sent.</summary>
    Gone = 10,
}

internal static class RefusalCodes
{
    /// <summary>Reads a code that a peer sent; an unknown code becomes <see cref="RefusalCode.None"/>.</summary>
    /// <remarks>Codes are tags of a metric: a peer must not be able to make 65,536 of them.</remarks>
    public static RefusalCode FromWire(ushort code) =>
        code <= (ushort)RefusalCode.TimedOut ? (RefusalCode)code : RefusalCode.None;
}
