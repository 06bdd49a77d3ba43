using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Memory;

/// <summary>
/// The writing end of a ring for any number of threads, without a lock: each claims a piece, writes it, and commits it;
/// pieces are published in the order of their claims.
/// </summary>
/// <remarks>
/// <para>The peer sees the same ring as of a <see cref="RingProducer"/>; all that the threads need to agree among
/// themselves is in private memory, where no peer can reach it:</para>
/// <code>
/// field         written by                          read by         ordering
/// _claimed      who claims, by compare-and-swap     who claims      full fence
/// _committed[]  who commits, by exchange            who publishes   Dekker with the entry before: each stores its own
///                                                                   entry, fences, loads the one that is next to publish
/// _published    who publishes, by compare-and-swap  who publishes,  full fence; raised before the shared tail, hence
///                                                   who claims      never below what the consumer can have seen
/// _head         who claims                          who claims      release / acquire; only ever too low, which costs a look
/// Tail (shared) who publishes, by compare-and-swap  the consumer    goes up only; the swap is the fence of the Dekker
///                                                                   with ConsumerSleeping
/// </code>
/// <para>Without the fence in a commit, the later of two threads may not see the earlier one's entry and the earlier
/// one not the later one's, and a committed piece stays unpublished until the next commit. Whoever finds the
/// entry that is next publishes it, whoever's it is, and whoever commits raises the tail as far as it has seen things
/// published, whoever did it: a thread that is interrupted between the two holds up nobody's piece but those behind a
/// piece that it has not committed.</para>
/// <para>An entry says where the piece that begins at its unit ends. One of an earlier lap ends at or before
/// the present position, so it can't be mistaken for a new one, and nothing has to be cleared.</para>
/// </remarks>
internal sealed unsafe class ClaimingProducer
{
    /// <summary>Pieces begin at multiples of this, a cache line, so that two writers never share one.</summary>
    public const int Unit = 64;

    // The shared tail is this side's alone to write. Only a peer that writes there, too, can make a swap fail more
    // often than there are threads.
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

    /// <summary>How many of them the consumer has taken. Only while the memory is there.</summary>
    /// <exception cref="SharedMemoryProtocolException">The peer's cursor is out of range.</exception>
    public long Taken => RefreshHead();

    /// <summary>Claims a piece that lies in one stretch. Any thread; it has to be committed, and soon.</summary>
    /// <param name="size">How many bytes, at most <see cref="MaxClaim"/>.</param>
    /// <param name="claim">What was claimed.</param>
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
    /// The gap before a claimed piece, from its start to the end of the ring; has to be marked as such.
    /// </summary>
    public Span<byte> GapOf(in RingClaim claim) => new(_data + ((int)claim.Start & _mask), claim.Gap);

    /// <summary>The claimed piece.</summary>
    public Span<byte> SpanOf(in RingClaim claim)
    {
        var start = claim.Start + claim.Gap;
        return new Span<byte>(_data + ((int)start & _mask), (int)(claim.End - start));
    }

    /// <summary>Says that a piece has been written, and shows the consumer all that is complete by now.</summary>
    /// <returns>Whether the consumer sleeps and has to be rung.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer writes the tail, which is not its to write.</exception>
    public Wake Commit(in RingClaim claim)
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
                // Another thread may have published meanwhile what was next, and this entry is older than that.
                var now = Volatile.Read(ref _cursors.Published);
                if (now == published)
                {
                    return RaiseTail(published);
                }

                published = now;
                continue;
            }

            var seen = Interlocked.CompareExchange(ref _cursors.Published, end, published);
            published = seen == published ? end : seen;
        }
    }

    /// <summary>
    /// Says that somebody here waits for room, who has to try again afterwards: room that came before the consumer
    /// could see the flag comes without a doorbell.
    /// </summary>
    public void AnnounceWait()
    {
        Volatile.Write(ref _control->ProducerWaiting, 1);

        // Store ProducerWaiting, fence, load Head; see RingConsumer.Advance.
        Interlocked.MemoryBarrier();
        FaultPoint.Reach(FaultStep.WaitAnnounced);
    }

    private int IndexOf(long position) => ((int)position & _mask) / Unit;

    /// <summary>Looks for room that the consumer has given back since.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private long RefreshHead()
    {
        // The cached one first: it was read from the same place before, so a smaller one afterwards is one that went
        // back.
        var known = Volatile.Read(ref _cursors.Head);
        var head = Volatile.Read(ref _control->Head);
        var published = Volatile.Read(ref _cursors.Published);
        if (head < known || head > published || (head & (Unit - 1)) != 0)
        {
            ThrowHeadOutOfRange(known, head, published);
        }

        // Another thread may have seen a later one meanwhile; to overwrite it costs a look, no more.
        Volatile.Write(ref _cursors.Head, head);
        return head;
    }

    private Wake RaiseTail(long end)
    {
        var tail = Volatile.Read(ref _control->Tail);
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
                return new Wake(Volatile.Read(ref _control->ConsumerSleeping) != 0
                    && Interlocked.Exchange(ref _control->ConsumerSleeping, 0) != 0);
            }

            tail = seen;
        }

        // Who has raised it beyond looks at ConsumerSleeping after that.
        return default;
    }

    [DoesNotReturn]
    private void ThrowHeadOutOfRange(long known, long head, long published) =>
        throw new SharedMemoryProtocolException(
            $"The peer's head cursor is out of range: it went from {known} to {head}, with the tail at {published} in a "
            + $"ring of {_capacity} bytes.");

    [DoesNotReturn]
    private static void ThrowTailTamperedWith() =>
        throw new SharedMemoryProtocolException("The peer writes the tail cursor of a ring that it reads.");

    /// <summary>Each on lines of its own: they are written by different threads at the same moment.</summary>
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
