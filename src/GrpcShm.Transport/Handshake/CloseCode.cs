namespace GrpcShm.Transport.Handshake;

/// <summary>Why a connection ended.</summary>
internal enum CloseCode : ushort
{
    /// <summary>Both directions had been completed, or their bytes were of no more interest.</summary>
    Graceful = 0,

    /// <summary>The application aborted it.</summary>
    Aborted = 1,

    /// <summary>The peer broke the protocol.</summary>
    Protocol = 2,

    /// <summary>The peer's process ended. Never sent.</summary>
    PeerGone = 3,

    /// <summary>The server closed it before anybody served it: nothing that came on it has been begun.</summary>
    NotServed = 4,
}
