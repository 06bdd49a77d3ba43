using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// The receiving direction of a connection: the ring with all that can end it. Owned by one operation at a time.
/// </summary>
internal sealed class InboundRing
{
    private readonly SharedMemoryConnection _connection;
    private readonly ConnectionCounters _counters;

    public InboundRing(SharedMemoryConnection connection, RingConsumer ring)
    {
        _connection = connection;
        _counters = connection.Counters;
        Ring = ring;
    }

    public RingConsumer Ring { get; }

    /// <summary>Looks for bytes.</summary>
    /// <returns>Whether there are bytes to read, or there will never be any again: see <paramref name="ended"/>.</returns>
    /// <param name="beyond">Only bytes after this cursor count.</param>
    /// <param name="ended">Whether the peer has completed and this is all.</param>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule; the connection has been aborted.</exception>
    /// <exception cref="IOException">The connection is broken and everything before has been read.</exception>
    public bool Refresh(long beyond, out bool ended)
    {
        _connection.ThrowIfClosed();

        // Both before the tail: whoever says that it will write no more, or dies, has published its last tail before.
        var peerIsGone = _connection.PeerIsGone;
        uint state;
        try
        {
            state = Ring.ReadProducerState();
            Ring.Refresh();
        }
        catch (SharedMemoryProtocolException violation)
        {
            _connection.AbortForViolation(violation);
            throw;
        }

        ended = false;
        if (Ring.Tail > beyond)
        {
            return true;
        }

        if (state == RingEndState.Completed)
        {
            ended = true;
            return true;
        }

        return peerIsGone || state == RingEndState.Aborted ? throw _connection.CreatePeerFailure() : false;
    }

    /// <summary>Copies out and gives the space back.</summary>
    public int Read(Span<byte> destination)
    {
        var count = Ring.Read(destination, out var wakeProducer);
        Advanced(wakeProducer);
        return count;
    }

    /// <summary>Gives space back.</summary>
    public void Advance(int count) => Advanced(Ring.Advance(count));

    /// <summary>Asks the peer for a doorbell with its next bytes.</summary>
    public void AnnounceSleep()
    {
        if (Ring.AnnounceSleep())
        {
            RingForSpace();
        }
    }

    /// <summary>Tells the peer that nothing more will be read.</summary>
    public void Close()
    {
        if (Ring.Close(RingEndState.Completed))
        {
            RingForSpace();
        }
    }

    private void Advanced(bool wakeProducer)
    {
        Volatile.Write(ref _counters.BytesReceived, Ring.Head);
        if (wakeProducer)
        {
            RingForSpace();
        }
    }

    private void RingForSpace()
    {
        // The one counter with two writers: whoever reads, and the reactor when it stops spinning.
        Interlocked.Increment(ref _counters.SpaceDoorbells);
        _connection.RingPeer();
    }
}
