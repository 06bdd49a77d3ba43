using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// The sending direction of a connection: the ring with all that can end it. Owned by one operation at a time.
/// </summary>
internal sealed class OutboundRing
{
    private readonly SharedMemoryConnection _connection;
    private readonly ConnectionCounters _counters;

    public OutboundRing(SharedMemoryConnection connection, RingProducer ring)
    {
        _connection = connection;
        _counters = connection.Counters;
        Ring = ring;
    }

    public RingProducer Ring { get; }

    /// <summary>Looks whether anybody still reads, and for space if there is less than wanted.</summary>
    /// <param name="wanted">How many bytes are to be written; as many as there are if it is more than the ring has.</param>
    /// <returns>Whether the peer may still read what is written now.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule; the connection has been aborted.</exception>
    /// <remarks>
    /// While there is space, the line of the consumer's head is left alone: it is written with each read, and to fetch it
    /// from the other processor with each write costs more than the write.
    /// </remarks>
    public bool Refresh(long wanted)
    {
        if (_connection.PeerIsGone)
        {
            return false;
        }

        try
        {
            if (Ring.ReadConsumerState() != RingEndState.Open)
            {
                return false;
            }

            if (Ring.Free < wanted)
            {
                Ring.Refresh();
            }

            return true;
        }
        catch (SharedMemoryProtocolException violation)
        {
            _connection.AbortForViolation(violation);
            throw;
        }
    }

    /// <summary>Copies into the ring and commits as much as there is space for.</summary>
    /// <returns>How many bytes were taken.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule; the connection has been aborted.</exception>
    public int Write(ReadOnlySpan<byte> source)
    {
        try
        {
            return Ring.Write(source);
        }
        catch (SharedMemoryProtocolException violation)
        {
            _connection.AbortForViolation(violation);
            throw;
        }
    }

    /// <summary>Shows the peer what has been committed, and wakes it if it sleeps.</summary>
    public void Publish()
    {
        var unpublished = Ring.Unpublished;
        if (unpublished == 0)
        {
            return;
        }

        if (Ring.Publish())
        {
            RingForData();
        }
        else
        {
            Volatile.Write(ref _counters.DoorbellsSaved, _counters.DoorbellsSaved + 1);
        }

        Volatile.Write(ref _counters.BytesSent, _counters.BytesSent + unpublished);
    }

    /// <summary>Asks the peer for a doorbell as soon as it has read.</summary>
    public void AnnounceWait()
    {
        Volatile.Write(ref _counters.SpaceWaits, _counters.SpaceWaits + 1);
        Ring.AnnounceWait();
    }

    /// <summary>Tells the peer that this was all, or that something is missing.</summary>
    public void Close(bool complete)
    {
        if (complete)
        {
            Publish();
        }

        if (Ring.Close(complete ? RingEndState.Completed : RingEndState.Aborted))
        {
            RingForData();
        }
    }

    private void RingForData()
    {
        Volatile.Write(ref _counters.DataDoorbells, _counters.DataDoorbells + 1);
        _connection.RingPeer();
    }
}
