using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// The receiving end of a connection: the ring, and everything that can end the receiving. One operation at a time owns
/// it, unless a member says otherwise. Only this class and <see cref="SendingEnd"/> touch the rings: they give space
/// back, ask to be woken, ring the peer, and count.
/// </summary>
internal sealed class ReceivingEnd
{
    private readonly SharedMemoryConnection _connection;
    private readonly ConnectionCounters _counters;
    private readonly RingConsumer _ring;

    public ReceivingEnd(SharedMemoryConnection connection, RingConsumer ring)
    {
        _connection = connection;
        _counters = connection.Counters;
        _ring = ring;
    }

    /// <inheritdoc cref="RingConsumer.Capacity"/>
    public int Capacity => _ring.Capacity;

    /// <inheritdoc cref="RingConsumer.Head"/>
    public long Head => _ring.Head;

    /// <inheritdoc cref="RingConsumer.Tail"/>
    public long Tail => _ring.Tail;

    /// <inheritdoc cref="RingConsumer.Available"/>
    public int Available => _ring.Available;

    /// <inheritdoc cref="RingConsumer.OffsetOf"/>
    public int OffsetOf(long cursor) => _ring.OffsetOf(cursor);

    /// <inheritdoc cref="RingConsumer.ContiguousFrom"/>
    public ReadOnlySpan<byte> ContiguousFrom(long cursor) => _ring.ContiguousFrom(cursor);

    /// <summary>Looks for bytes.</summary>
    /// <returns>
    /// Whether there are bytes to read, or no bytes will ever come again: see <paramref name="ended"/>.
    /// </returns>
    /// <param name="beyond">Only bytes after this cursor count.</param>
    /// <param name="ended">Whether the peer has completed and everything has been read.</param>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule; the connection has been
    /// aborted.</exception>
    /// <exception cref="IOException">The connection is broken, and everything before that has been read.</exception>
    public bool Refresh(long beyond, out bool ended)
    {
        _connection.ThrowIfClosed();

        // Both are read before the tail: a peer publishes its last tail before it says that it will write no more, and
        // before it dies.
        var peerIsGone = _connection.PeerIsGone;
        uint state;
        try
        {
            state = _ring.ReadProducerState();
            _ring.Refresh();
        }
        catch (SharedMemoryProtocolException violation)
        {
            _connection.AbortForViolation(violation);
            throw;
        }

        ended = false;
        if (_ring.Tail > beyond)
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

    /// <summary>Copies bytes out and gives their space back.</summary>
    public int Read(Span<byte> destination)
    {
        NoteAdvance(_ring.Read(destination, out var count));
        return count;
    }

    /// <summary>Gives space back.</summary>
    public void Advance(int count) => NoteAdvance(_ring.Advance(count));

    /// <summary>Asks the peer for a doorbell with its next bytes.</summary>
    public void AnnounceSleep()
    {
        if (_ring.AnnounceSleep().IsNeeded)
        {
            RingForSpace();
        }
    }

    /// <summary>
    /// Spares the peer its doorbells: until <see cref="AnnounceSleep"/> this end looks by itself. By the reactor.
    /// </summary>
    public void AnnounceAwake() => _ring.AnnounceAwake();

    /// <inheritdoc cref="RingConsumer.Peek"/>
    /// <remarks>By the reactor, too, while the owner waits.</remarks>
    public bool Peek() => _ring.Peek();

    /// <summary>Tells the peer that nothing more will be read.</summary>
    public void Close()
    {
        if (_ring.Close(RingEndState.Completed).IsNeeded)
        {
            RingForSpace();
        }
    }

    private void NoteAdvance(Wake wakeProducer)
    {
        Volatile.Write(ref _counters.BytesReceived, _ring.Head);
        if (wakeProducer.IsNeeded)
        {
            RingForSpace();
        }
    }

    private void RingForSpace()
    {
        // The only counter with two writers: the thread that reads, and the reactor when it stops spinning.
        Interlocked.Increment(ref _counters.SpaceDoorbells);
        _connection.RingPeer();
    }
}
