using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Memory;

/// <summary>
/// The writing end of a ring: one thread at a time. Bytes are written and committed first, which the peer does not see.
/// The peer sees them when they are published. One publish may show many commits.
/// </summary>
/// <remarks>
/// The producer believes its own tail, never the copy in shared memory, and the peer's head only after a check:
/// <c>head ≤ published tail</c> and never backwards. So no value that a peer can write makes this side write outside
/// the ring, and a head that lies only lets the peer's own unread bytes be overwritten. See <see cref="RingControl"/>.
/// </remarks>
internal sealed unsafe class RingProducer
{
    private readonly RingControl* _control;
    private readonly byte* _data;
    private readonly int _capacity;
    private readonly int _mask;
    private long _tail;
    private long _published;
    private long _head;

    public RingProducer(RingControl* control, byte* data, int capacity)
    {
        _control = control;
        _data = data;
        _capacity = capacity;
        _mask = capacity - 1;
    }

    public int Capacity => _capacity;

    /// <summary>How many bytes have been committed and not yet published.</summary>
    public int Unpublished => (int)(_tail - _published);

    /// <summary>The offset in the ring's data at which the next byte goes.</summary>
    public int Offset => (int)_tail & _mask;

    /// <summary>
    /// How many bytes are free in one piece at <see cref="Offset"/>, as far as this end knows; see
    /// <see cref="Refresh"/>.
    /// </summary>
    public int Contiguous => Math.Min(Free, _capacity - Offset);

    /// <summary>How many bytes are free, as far as this end knows.</summary>
    public int Free => _capacity - (int)(_tail - _head);

    /// <summary>Looks for space that the consumer has given back since.</summary>
    /// <exception cref="SharedMemoryProtocolException">The peer's cursor is out of range.</exception>
    public void Refresh()
    {
        // Acquire: pairs with the release in RingConsumer.Advance; the consumer has read what will be overwritten.
        var head = Volatile.Read(ref _control->Head);
        if (head < _head || head > _published)
        {
            ThrowHeadOutOfRange(head);
        }

        _head = head;
    }

    /// <summary>Copies bytes into the ring and commits them, as far as there is space.</summary>
    /// <returns>How many bytes were taken.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer's cursor is out of range.</exception>
    public int Write(ReadOnlySpan<byte> source)
    {
        if (Free < source.Length)
        {
            Refresh();
        }

        FaultPoint.Reach(FaultStep.Claimed);
        var count = Math.Min(source.Length, Free);
        var first = Math.Min(count, _capacity - Offset);
        source[..first].CopyTo(new Span<byte>(_data + Offset, first));
        source[first..count].CopyTo(new Span<byte>(_data, count - first));
        _tail += count;
        return count;
    }

    /// <summary>Commits bytes that the caller has written at <see cref="Offset"/> by itself.</summary>
    public void Commit(int count)
    {
        FaultPoint.Reach(FaultStep.Claimed);
        _tail += count;
    }

    /// <summary>Shows the consumer the committed bytes.</summary>
    /// <returns>Whether the consumer sleeps and has to be rung.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Wake Publish()
    {
        if (_tail == _published)
        {
            return default;
        }

        FaultPoint.Reach(FaultStep.Written);
        _published = _tail;

        // Release: the bytes are there before the tail says so.
        Volatile.Write(ref _control->Tail, _tail);

        // Store Tail, fence, load ConsumerSleeping; the consumer stores ConsumerSleeping, fences, loads Tail
        // (RingConsumer.AnnounceSleep). One of the two sees the other.
        Interlocked.MemoryBarrier();
        FaultPoint.Reach(FaultStep.Published);
        return new Wake(Volatile.Read(ref _control->ConsumerSleeping) != 0 && TakeConsumerSleeping());
    }

    /// <summary>
    /// Says that this end waits for space. The caller has to <see cref="Refresh"/> once more afterwards: space that
    /// came before the consumer could see the flag comes without a doorbell.
    /// </summary>
    public void AnnounceWait()
    {
        Volatile.Write(ref _control->ProducerWaiting, 1);

        // Store ProducerWaiting, fence, load Head; see RingConsumer.Advance.
        Interlocked.MemoryBarrier();
        FaultPoint.Reach(FaultStep.WaitAnnounced);
    }

    /// <summary>Reads the consumer's state.</summary>
    public uint ReadConsumerState()
    {
        var state = Volatile.Read(ref _control->ConsumerState);
        if (state > RingEndState.Aborted)
        {
            ThrowUnknownState(state);
        }

        return state;
    }

    /// <summary>Says that this end will write no more; everything committed must have been published before.</summary>
    /// <returns>Whether the consumer sleeps and has to be rung.</returns>
    public Wake Close(uint state)
    {
        FaultPoint.Reach(FaultStep.HalfClosing);

        // Release: the last tail is there before the state says that it is the last.
        Volatile.Write(ref _control->ProducerState, state);
        Interlocked.MemoryBarrier();
        FaultPoint.Reach(FaultStep.HalfClosed);
        return new Wake(Volatile.Read(ref _control->ConsumerSleeping) != 0 && TakeConsumerSleeping());
    }

    // The flag is taken, not just read, so that a consumer that has been rung once is not rung again before it sleeps
    // again.
    private bool TakeConsumerSleeping() => Interlocked.Exchange(ref _control->ConsumerSleeping, 0) != 0;

    [DoesNotReturn]
    private void ThrowHeadOutOfRange(long head) =>
        throw new SharedMemoryProtocolException(
            $"The peer's head cursor is out of range: it went from {_head} to {head}, with the tail at {_published} in "
            + $"a ring of {_capacity} bytes.");

    [DoesNotReturn]
    private static void ThrowUnknownState(uint state) =>
        throw new SharedMemoryProtocolException($"The peer's consumer state is {state}, which means nothing.");
}
