namespace GrpcShm.Transport.Handshake;

/// <summary>Why a connection ended.</summary>
internal enum CloseCode : ushort
{
    /// <summary>Both directions had been completed, or nobody wanted their bytes any more.</summary>
    Graceful = 0,

    /// <summary>The application aborted the connection.</summary>
    Aborted = 1,

    /// <summary>The peer broke the protocol.</summary>
    Protocol = 2,

    /// <summary>The peer's process ended. Never sent.</summary>
    PeerGone = 3,

    /// <summary>The server closed the connection before anybody served it: no request on it has been begun.</summary>
    NotServed = 4,
}
