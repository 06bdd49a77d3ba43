using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// The sending end of a connection in direct mode: any number of threads claim, write and commit frames without a lock.
/// </summary>
internal sealed class FrameSendingEnd : SendingEnd
{
    private readonly ClaimingProducer _ring;

    public FrameSendingEnd(SharedMemoryConnection connection, ClaimingProducer ring)
        : base(connection) => _ring = ring;

    public override int Capacity => _ring.Capacity;

    /// <summary>The largest frame.</summary>
    public int MaxFrame => _ring.MaxClaim;

    /// <inheritdoc cref="ClaimingProducer.Published"/>
    public long Published => _ring.Published;

    /// <inheritdoc cref="ClaimingProducer.Taken"/>
    public long Taken => _ring.Taken;

    /// <inheritdoc cref="ClaimingProducer.TryClaim"/>
    public bool TryClaim(int size, out RingClaim claim) => _ring.TryClaim(size, out claim);

    /// <inheritdoc cref="ClaimingProducer.HasRoom"/>
    public bool HasRoom(int size) => _ring.HasRoom(size);

    /// <inheritdoc cref="ClaimingProducer.GapOf"/>
    public Span<byte> GapOf(in RingClaim claim) => _ring.GapOf(claim);

    /// <inheritdoc cref="ClaimingProducer.SpanOf"/>
    public Span<byte> SpanOf(in RingClaim claim) => _ring.SpanOf(claim);

    /// <summary>
    /// Says that a piece has been written, shows the peer all pieces that are complete by now, and wakes it if it
    /// sleeps.
    /// </summary>
    /// <exception cref="SharedMemoryProtocolException">The peer writes the tail, which it must not do.</exception>
    public void Commit(in RingClaim claim)
    {
        if (_ring.Commit(claim).IsNeeded)
        {
            Interlocked.Increment(ref Counters.DataDoorbells);
            Connection.RingPeer();
        }
        else
        {
            Interlocked.Increment(ref Counters.DoorbellsSaved);
        }

        Interlocked.Add(ref Counters.BytesSent, claim.End - claim.Start);
    }

    /// <summary>
    /// Asks the peer for a doorbell as soon as it has read. The thread that waits has to try once more after that.
    /// </summary>
    public void AnnounceWait()
    {
        Interlocked.Increment(ref Counters.SpaceWaits);
        _ring.AnnounceWait();
    }
}
