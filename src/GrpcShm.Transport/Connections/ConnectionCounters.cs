namespace GrpcShm.Transport.Connections;

/// <summary>
/// Sums of what has happened on a connection. They go up only. Each field has one writer, the owner of the direction,
/// unless the field says otherwise. A meter may read a value that is a moment old.
/// </summary>
internal sealed class ConnectionCounters
{
    public long BytesReceived;
    public long BytesSent;

    /// <summary>Doorbells rung to say that there are bytes.</summary>
    public long DataDoorbells;

    /// <summary>Doorbells rung to say that there is space; by the reader and by the reactor.</summary>
    public long SpaceDoorbells;

    /// <summary>Publishes that needed no doorbell, since the peer was awake.</summary>
    public long DoorbellsSaved;

    /// <summary>How often a write had to wait for the peer to read.</summary>
    public long SpaceWaits;

    public void AddTo(ConnectionCounters totals)
    {
        totals.BytesReceived += Volatile.Read(ref BytesReceived);
        totals.BytesSent += Volatile.Read(ref BytesSent);
        totals.DataDoorbells += Volatile.Read(ref DataDoorbells);
        totals.SpaceDoorbells += Volatile.Read(ref SpaceDoorbells);
        totals.DoorbellsSaved += Volatile.Read(ref DoorbellsSaved);
        totals.SpaceWaits += Volatile.Read(ref SpaceWaits);
    }
}
