namespace GrpcShm.Transport.Connections;

/// <summary>
/// The sending end of a connection. Only this class, its derived classes and <see cref="ReceivingEnd"/> touch the
/// rings: they publish, ask to be woken, ring the peer, and count.
/// </summary>
/// <param name="connection">The connection.</param>
internal abstract class SendingEnd(SharedMemoryConnection connection)
{
    /// <summary>How many bytes the ring has.</summary>
    public abstract int Capacity { get; }

    protected SharedMemoryConnection Connection => connection;

    protected ConnectionCounters Counters { get; } = connection.Counters;
}
