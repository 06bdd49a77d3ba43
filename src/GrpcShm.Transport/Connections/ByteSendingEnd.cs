using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// The sending end of a connection that carries bytes: the ring, and everything that can end the sending. One operation
/// at a time owns it.
/// </summary>
internal sealed class ByteSendingEnd : SendingEnd
{
    private readonly RingProducer _ring;

    public ByteSendingEnd(SharedMemoryConnection connection, RingProducer ring)
        : base(connection) => _ring = ring;

    public override int Capacity => _ring.Capacity;

    /// <inheritdoc cref="RingProducer.Unpublished"/>
    public int Unpublished => _ring.Unpublished;

    /// <inheritdoc cref="RingProducer.Offset"/>
    public int Offset => _ring.Offset;

    /// <summary>
    /// How many bytes are free in one piece at <see cref="Offset"/>, as far as this end knows; see
    /// <see cref="Refresh"/>.
    /// </summary>
    public int Contiguous => _ring.Contiguous;

    /// <summary>Looks whether the peer still reads, and for space if there is less than wanted.</summary>
    /// <param name="wanted">How many bytes are to be written; may be more than the ring has.</param>
    /// <returns>Whether the peer may still read bytes that are written now.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule; the connection has been
    /// aborted.</exception>
    /// <remarks>
    /// While there is space, the cache line of the consumer's head is left alone: the consumer writes it with each
    /// read, and to fetch it from the other processor costs more than the write itself.
    /// </remarks>
    public bool Refresh(long wanted)
    {
        if (Connection.PeerIsGone)
        {
            return false;
        }

        try
        {
            if (_ring.ReadConsumerState() != RingEndState.Open)
            {
                return false;
            }

            if (_ring.Free < wanted)
            {
                _ring.Refresh();
            }

            return true;
        }
        catch (SharedMemoryProtocolException violation)
        {
            Connection.AbortForViolation(violation);
            throw;
        }
    }

    /// <summary>Copies bytes into the ring and commits them, as far as there is space.</summary>
    /// <returns>How many bytes were taken.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule; the connection has been
    /// aborted.</exception>
    public int Write(ReadOnlySpan<byte> source)
    {
        try
        {
            return _ring.Write(source);
        }
        catch (SharedMemoryProtocolException violation)
        {
            Connection.AbortForViolation(violation);
            throw;
        }
    }

    /// <inheritdoc cref="RingProducer.Commit"/>
    public void Commit(int count) => _ring.Commit(count);

    /// <summary>Shows the peer the committed bytes, and wakes it if it sleeps.</summary>
    public void Publish()
    {
        var unpublished = _ring.Unpublished;
        if (unpublished == 0)
        {
            return;
        }

        if (_ring.Publish().IsNeeded)
        {
            RingForData();
        }
        else
        {
            Volatile.Write(ref Counters.DoorbellsSaved, Counters.DoorbellsSaved + 1);
        }

        Volatile.Write(ref Counters.BytesSent, Counters.BytesSent + unpublished);
    }

    /// <summary>Asks the peer for a doorbell as soon as it has read.</summary>
    public void AnnounceWait()
    {
        Volatile.Write(ref Counters.SpaceWaits, Counters.SpaceWaits + 1);
        _ring.AnnounceWait();
    }

    /// <summary>Tells the peer that it has all bytes, or that bytes are missing.</summary>
    public void Close(bool complete)
    {
        if (complete)
        {
            Publish();
        }

        if (_ring.Close(complete ? RingEndState.Completed : RingEndState.Aborted).IsNeeded)
        {
            RingForData();
        }
    }

    private void RingForData()
    {
        Volatile.Write(ref Counters.DataDoorbells, Counters.DataDoorbells + 1);
        Connection.RingPeer();
    }
}
