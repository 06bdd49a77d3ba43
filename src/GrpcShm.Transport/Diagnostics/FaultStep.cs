namespace GrpcShm.Transport.Diagnostics;

/// <summary>
/// The steps of a connection's life between which one of its processes may die: see <see cref="FaultPoint"/>.
/// </summary>
internal enum FaultStep
{
    /// <summary>The client has reached the server's socket and has said nothing yet.</summary>
    ClientConnected,

    /// <summary>The client's hello is on its way.</summary>
    ClientHelloSent,

    /// <summary>The server's answer has come, with the memory and the doorbells.</summary>
    ClientAnswerReceived,

    /// <summary>The client has mapped the memory and has not said that it is ready.</summary>
    ClientMapped,

    /// <summary>The client has said that it is ready.</summary>
    ClientReadySent,

    /// <summary>The server has accepted a client and knows nothing of it yet.</summary>
    ServerAccepted,

    /// <summary>The client's hello has come.</summary>
    ServerHelloReceived,

    /// <summary>The server has mapped the memory that it made, and has passed nothing on yet.</summary>
    ServerMapped,

    /// <summary>The server's answer is on its way, with the memory and the doorbells.</summary>
    ServerHelloSent,

    /// <summary>The client's ready has come.</summary>
    ServerReadyReceived,

    /// <summary>The connection has been put together, and its peer is watched.</summary>
    ConnectionMade,

    /// <summary>Room in the ring has been claimed, and nothing is written there yet.</summary>
    Claimed,

    /// <summary>Bytes are in the ring; the tail does not say so yet.</summary>
    Written,

    /// <summary>The tail says so, and the doorbell has not been rung yet, if that is due.</summary>
    Published,

    /// <summary>A doorbell has been rung.</summary>
    Rung,

    /// <summary>
    /// The flag that asks for a doorbell with the next bytes is up, and the last look before sleeping is still due.
    /// </summary>
    SleepAnnounced,

    /// <summary>
    /// The flag that asks for a doorbell with the next room is up, and the last look before waiting is still due.
    /// </summary>
    WaitAnnounced,

    /// <summary>Bytes have been read, and their room has not been given back yet.</summary>
    Read,

    /// <summary>Room has been given back, and the doorbell has not been rung yet, if that is due.</summary>
    RoomGiven,

    /// <summary>
    /// This side is about to say that it sends no more: on the connection (HTTP/2), or for a call (direct mode).
    /// </summary>
    HalfClosing,

    /// <summary>This side has said so; the other direction is still open.</summary>
    HalfClosed,

    /// <summary>The server is about to say that it takes no new calls on a connection in direct mode.</summary>
    GoingAway,

    /// <summary>The server has said so.</summary>
    GoneAway,

    /// <summary>The connection has its cause of death; the farewell is not sent yet.</summary>
    Closing,

    /// <summary>The farewell is sent, and the socket is still open.</summary>
    FarewellSent,

    /// <summary>The socket is closed; what waits has not been told, and the memory is still mapped.</summary>
    SocketClosed,

    /// <summary>The last lease is gone, and the memory is unmapped.</summary>
    Unmapped,

    /// <summary>A listener has taken its socket away and still holds the lock on the name.</summary>
    NameRemoved,

    /// <summary>A listener has given its name back.</summary>
    NameReleased,
}
