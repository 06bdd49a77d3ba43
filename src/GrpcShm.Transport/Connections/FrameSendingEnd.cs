using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// The sending end of a connection in direct mode: any number of threads claim, write and commit frames without a lock.
/// </summary>
internal sealed class FrameSendingEnd : SendingEnd
{
    private readonly ClaimingProducer _ring;
    private readonly OwedDoorbell _owed;

    public FrameSendingEnd(SharedMemoryConnection connection, ClaimingProducer ring)
        : base(connection)
    {
        _ring = ring;
        _owed = new OwedDoorbell(this);
    }

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
    /// <param name="claim">The piece.</param>
    /// <param name="isQuiet">Whether a peer that sleeps may be woken later, see <see cref="Reactor.TryOwe"/>.</param>
    /// <exception cref="SharedMemoryProtocolException">The peer writes the tail, which it must not do.</exception>
    public void Commit(in RingClaim claim, bool isQuiet = false)
    {
        if (isQuiet)
        {
            CommitQuietly(claim);
        }
        else
        {
            Wake(_ring.Commit(claim));
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

    private void CommitQuietly(in RingClaim claim)
    {
        var wake = _ring.CommitQuietly(claim, out var isOwed);
        if (!isOwed)
        {
            Wake(wake);
        }
        else if (!Reactor.TryOwe(_owed))
        {
            Wake(_ring.TakeSleeper());
        }
    }

    private void Wake(Wake wake)
    {
        if (wake.IsNeeded)
        {
            Interlocked.Increment(ref Counters.DataDoorbells);
            Connection.RingPeer();
        }
        else
        {
            Interlocked.Increment(ref Counters.DoorbellsSaved);
        }
    }

    private sealed class OwedDoorbell(FrameSendingEnd end) : OwedWake
    {
        protected override void WakePeer()
        {
            // Without a lease the connection has ended, which its peer learns from the socket, and then it looks.
            if (end.Connection.TryLease())
            {
                end.Wake(end._ring.TakeSleeper());
                end.Connection.Detach();
            }
        }
    }
}
