namespace GrpcShm.EventBus;

/// <summary>
/// How processes of one computer connect to each other directly, for lanes: connections between two clients of one hub,
/// past the hub. Both processes must have the same kind of transport.
/// </summary>
/// <remarks>
/// The hub introduces two processes only if it knows that one user runs both. Nevertheless a transport must let no
/// process of another user connect. One transport may serve several clients at once.
/// </remarks>
public abstract class EventLaneTransport
{
    /// <summary>Begins to listen for other processes, on an address that no other process can guess.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="IOException">There is no such address, or it cannot be used.</exception>
    public abstract ValueTask<EventLaneListener> ListenAsync(CancellationToken cancellationToken);

    /// <summary>Connects to another process.</summary>
    /// <param name="address">
    /// Where it listens, as the other process told the hub. Nothing has checked it: it may be no address.
    /// </param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection, which the caller owns.</returns>
    /// <exception cref="IOException">Nobody listens there, or the other process refuses.</exception>
    public abstract ValueTask<EventLaneConnection> ConnectAsync(string address, CancellationToken cancellationToken);
}
