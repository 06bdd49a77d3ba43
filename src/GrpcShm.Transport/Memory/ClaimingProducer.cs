using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Memory;

/// <summary>
/// The writing end of a ring for any number of threads, without a lock. Each thread claims a piece, writes it, and
/// commits it; pieces are published in the order of their claims.
/// </summary>
/// <remarks>
/// <para>To the peer the ring looks like the ring of a <see cref="RingProducer"/>. The fields by which the threads
/// agree among themselves are in private memory, where no peer can reach them:</para>
/// <code>
/// field         written by                          read by         ordering
/// _claimed      claimers, by compare-and-swap     claimers      full fence
/// _committed[]  committers, by exchange           publishers    Dekker with the entry before: each stores its own
///                                                               entry, fences, loads the entry that is next to publish
/// _published    publishers, by compare-and-swap   publishers,   full fence; raised before the shared tail, hence
///                                                 claimers      never below a tail that the consumer can have seen
/// _head         claimers                          claimers      release / acquire; it can only be too low, which costs
///                                                               a look
/// Tail (shared) publishers, by compare-and-swap   the consumer  goes up only; the swap is the fence of the Dekker
///                                                               with ConsumerSleeping
/// </code>
/// <para>Without the fence in a commit, two threads that commit at once may miss each other's entry, and a committed
/// piece stays unpublished until the next commit. The thread that finds the next entry publishes it, even if another
/// thread has committed it. Each thread that commits raises the tail as far as it has seen pieces published, even if
/// another thread has published them. So a thread that is interrupted in between holds up only the pieces behind a
/// piece that it has not committed.</para>
/// <para>An entry says where the piece that begins at its unit ends. An entry of an earlier lap ends at or before the
/// present position, so it cannot be mistaken for a new entry, and nothing has to be cleared.</para>
/// </remarks>
internal sealed unsafe class ClaimingProducer
{
    /// <summary>Pieces begin at multiples of this, a cache line, so that two writers never share one.</summary>
    public const int Unit = 64;

    // Only this side may write the shared tail. A swap can fail more often than there are threads only if the peer
    // writes there, too.
    private const int MaxTailSwaps = 10_000;

    private readonly RingControl* _control;
    private readonly byte* _data;
    private readonly int _capacity;
    private readonly int _mask;
    private readonly long[] _committed;
    private Cursors _cursors;

    public ClaimingProducer(RingControl* control, byte* data, int capacity)
    {
        _control = control;
        _data = data;
        _capacity = capacity;
        _mask = capacity - 1;
        _committed = new long[capacity / Unit];
    }

    public int Capacity => _capacity;

    /// <summary>The largest piece: with the gap before it at the ring's end it fits into an empty ring.</summary>
    public int MaxClaim => _capacity / 2;

    /// <summary>How many bytes have been published since the beginning, gaps included.</summary>
    public long Published => Volatile.Read(ref _cursors.Published);

    /// <summary>How many of the published bytes the consumer has taken. Only while the memory is mapped.</summary>
    /// <exception cref="SharedMemoryProtocolException">The peer's cursor is out of range.</exception>
    public long Taken => RefreshHead();

    /// <summary>Claims a contiguous piece. Any thread; the caller has to commit it, and soon.</summary>
    /// <param name="size">How many bytes, at most <see cref="MaxClaim"/>.</param>
    /// <param name="claim">The claimed piece.</param>
    /// <returns>Whether there was room.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer's cursor is out of range.</exception>
    public bool TryClaim(int size, out RingClaim claim)
    {
        var rounded = (size + Unit - 1) & -Unit;
        var start = Volatile.Read(ref _cursors.Claimed);
        while (true)
        {
            var offset = (int)start & _mask;
            var gap = offset + rounded > _capacity ? _capacity - offset : 0;
            var end = start + gap + rounded;
            if (end - Volatile.Read(ref _cursors.Head) > _capacity && end - RefreshHead() > _capacity)
            {
                claim = default;
                return false;
            }

            var seen = Interlocked.CompareExchange(ref _cursors.Claimed, end, start);
            if (seen == start)
            {
                claim = new RingClaim(start, gap, end);
                FaultPoint.Reach(FaultStep.Claimed);
                return true;
            }

            start = seen;
        }
    }

    /// <summary>Whether a claim of so many bytes would succeed now.</summary>
    /// <exception cref="SharedMemoryProtocolException">The peer's cursor is out of range.</exception>
    public bool HasRoom(int size)
    {
        var start = Volatile.Read(ref _cursors.Claimed);
        var offset = (int)start & _mask;
        var rounded = (size + Unit - 1) & -Unit;
        return start + rounded + (offset + rounded > _capacity ? _capacity - offset : 0) - RefreshHead() <= _capacity;
    }

    /// <summary>
    /// The gap before a claimed piece, from its start to the end of the ring; the caller has to mark it as a gap.
    /// </summary>
    public Span<byte> GapOf(in RingClaim claim) => new(_data + ((int)claim.Start & _mask), claim.Gap);

    /// <summary>The claimed piece.</summary>
    public Span<byte> SpanOf(in RingClaim claim)
    {
        var start = claim.Start + claim.Gap;
        return new Span<byte>(_data + ((int)start & _mask), (int)(claim.End - start));
    }

    /// <summary>
    /// Says that a piece has been written, and shows the consumer all pieces that are complete by now.
    /// </summary>
    /// <returns>Whether the consumer sleeps and has to be rung.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer writes the tail, which it must not do.</exception>
    public Wake Commit(in RingClaim claim) =>
        TryRaiseTail(Publish(claim), out _) ? TakeSleeper() : default;

    /// <summary>
    /// As <see cref="Commit"/>, but if the consumer sleeps, and this call has shown it this piece alone, its wake-up is
    /// owed: the caller has to call <see cref="TakeSleeper"/> later. Pieces of other threads are not held up: whoever
    /// shows them wakes the consumer.
    /// </summary>
    /// <param name="claim">The piece.</param>
    /// <param name="isOwed">Whether the wake-up is owed.</param>
    /// <returns>Whether the consumer sleeps and has to be rung now.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer writes the tail, which it must not do.</exception>
    public Wake CommitQuietly(in RingClaim claim, out bool isOwed)
    {
        var end = Publish(claim);
        isOwed = false;
        if (!TryRaiseTail(end, out var from))
        {
            return default;
        }

        if (from != claim.Start || end != claim.End)
        {
            return TakeSleeper();
        }

        isOwed = Volatile.Read(ref _control->ConsumerSleeping) != 0;
        return default;
    }

    /// <summary>Takes the flag of a consumer that sleeps. Any thread, after a piece has been shown.</summary>
    /// <returns>Whether the consumer sleeps and has to be rung.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Wake TakeSleeper() =>
        new(Volatile.Read(ref _control->ConsumerSleeping) != 0
            && Interlocked.Exchange(ref _control->ConsumerSleeping, 0) != 0);

    /// <summary>
    /// Says that a thread of this side waits for room. That thread has to try again afterwards: room that came before
    /// the consumer could see the flag comes without a doorbell.
    /// </summary>
    public void AnnounceWait()
    {
        Volatile.Write(ref _control->ProducerWaiting, 1);

        // Store ProducerWaiting, fence, load Head; see RingConsumer.Advance.
        Interlocked.MemoryBarrier();
        FaultPoint.Reach(FaultStep.WaitAnnounced);
    }

    private int IndexOf(long position) => ((int)position & _mask) / Unit;

    /// <summary>Notes that a piece is complete, and all pieces before which no incomplete one lies.</summary>
    /// <returns>The end of the complete pieces.</returns>
    private long Publish(in RingClaim claim)
    {
        FaultPoint.Reach(FaultStep.Written);

        // Store this entry, fence, load the entry that is next to publish; see the remarks.
        Interlocked.Exchange(ref _committed[IndexOf(claim.Start)], claim.End);
        var published = Volatile.Read(ref _cursors.Published);
        while (true)
        {
            var end = Volatile.Read(ref _committed[IndexOf(published)]);
            if (end <= published)
            {
                // Another thread may have published the next piece meanwhile, and then this entry is older.
                var now = Volatile.Read(ref _cursors.Published);
                if (now == published)
                {
                    return published;
                }

                published = now;
                continue;
            }

            var seen = Interlocked.CompareExchange(ref _cursors.Published, end, published);
            published = seen == published ? end : seen;
        }
    }

    /// <summary>Looks for room that the consumer has given back since.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private long RefreshHead()
    {
        // The cached head first: it was read from the same place before. So if the head that is read afterwards is
        // smaller, the peer has moved it backwards.
        var known = Volatile.Read(ref _cursors.Head);
        var head = Volatile.Read(ref _control->Head);
        var published = Volatile.Read(ref _cursors.Published);
        if (head < known || head > published || (head & (Unit - 1)) != 0)
        {
            ThrowHeadOutOfRange(known, head, published);
        }

        // Another thread may have seen a later head meanwhile; to overwrite it costs a look, no more.
        Volatile.Write(ref _cursors.Head, head);
        return head;
    }

    /// <summary>Shows the consumer the complete pieces.</summary>
    /// <param name="end">The end of them.</param>
    /// <param name="tail">Where the pieces that this call has shown begin.</param>
    /// <returns>Whether this call has shown any: then the caller has to look whether the consumer sleeps.</returns>
    private bool TryRaiseTail(long end, out long tail)
    {
        tail = Volatile.Read(ref _control->Tail);
        for (var swaps = 0; tail < end; swaps++)
        {
            if (swaps == MaxTailSwaps)
            {
                ThrowTailTamperedWith();
            }

            // Release: all bytes before the end are there. Full fence: then ConsumerSleeping is loaded.
            var seen = Interlocked.CompareExchange(ref _control->Tail, end, tail);
            if (seen == tail)
            {
                FaultPoint.Reach(FaultStep.Published);
                return true;
            }

            tail = seen;
        }

        // The thread that has raised it further looks at ConsumerSleeping after that.
        return false;
    }

    [DoesNotReturn]
    private void ThrowHeadOutOfRange(long known, long head, long published) =>
        throw new SharedMemoryProtocolException(
            $"The peer's head cursor is out of range: it went from {known} to {head}, with the tail at {published} in "
            + $"a ring of {_capacity} bytes.");

    [DoesNotReturn]
    private static void ThrowTailTamperedWith() =>
        throw new SharedMemoryProtocolException("The peer writes the tail cursor of a ring that it reads.");

    /// <summary>Each field has lines of its own: different threads write them at the same moment.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 4 * SegmentLayout.Line)]
    private struct Cursors
    {
        [FieldOffset(SegmentLayout.Line)]
        public long Claimed;

        [FieldOffset(2 * SegmentLayout.Line)]
        public long Published;

        [FieldOffset(3 * SegmentLayout.Line)]
        public long Head;
    }
}
