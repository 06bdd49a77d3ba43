using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Memory;

/// <summary>
/// The reading end of a ring: one thread at a time. Cursors count bytes since the beginning and never wrap in the
/// life of a machine; where a byte lies is its cursor modulo the capacity.
/// </summary>
/// <remarks>
/// The consumer believes its own <see cref="Head"/>, never the copy in shared memory, and the peer's tail only after a
/// check of each value read: <c>Head ≤ tail ≤ Head + capacity</c> and never backwards. So no value that a peer can
/// write makes this side read outside the ring. See <see cref="RingControl"/> for who writes and reads which field.
/// </remarks>
internal sealed unsafe class RingConsumer
{
    private readonly RingControl* _control;
    private readonly byte* _data;
    private readonly int _capacity;
    private readonly int _mask;
    private long _head;
    private long _tail;

    public RingConsumer(RingControl* control, byte* data, int capacity)
    {
        _control = control;
        _data = data;
        _capacity = capacity;
        _mask = capacity - 1;
    }

    public int Capacity => _capacity;

    /// <summary>All bytes before this cursor have been consumed.</summary>
    public long Head => _head;

    /// <summary>The last checked tail: all bytes from <see cref="Head"/> up to it may be read.</summary>
    public long Tail => _tail;

    public int Available => (int)(_tail - _head);

    /// <summary>Looks for bytes that the producer has published since.</summary>
    /// <returns>How many bytes may be read.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer's cursor is out of range.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Refresh()
    {
        // Acquire: pairs with the release in RingProducer.Publish; the bytes before this tail are visible from here on.
        var tail = Volatile.Read(ref _control->Tail);
        if ((ulong)(tail - _head) > (ulong)_capacity || tail < _tail)
        {
            ThrowTailOutOfRange(tail);
        }

        _tail = tail;
        return (int)(tail - _head);
    }

    /// <summary>
    /// Reads the producer's state. Read it before <see cref="Refresh"/>: a producer publishes its last tail before it
    /// says that it has completed, so the tail that is read afterwards is the last one.
    /// </summary>
    public uint ReadProducerState()
    {
        var state = Volatile.Read(ref _control->ProducerState);
        if (state > RingEndState.Aborted)
        {
            ThrowUnknownState(state);
        }

        return state;
    }

    /// <summary>The bytes from a cursor on, up to the end of the memory or of the available bytes.</summary>
    /// <param name="cursor">From <see cref="Head"/> to <see cref="Tail"/>.</param>
    public ReadOnlySpan<byte> ContiguousFrom(long cursor)
    {
        var offset = OffsetOf(cursor);
        return new ReadOnlySpan<byte>(_data + offset, (int)Math.Min(_tail - cursor, _capacity - offset));
    }

    public int OffsetOf(long cursor) => (int)cursor & _mask;

    /// <summary>Copies out the available bytes that fit, and gives their space back.</summary>
    /// <param name="destination">Where the bytes go.</param>
    /// <param name="count">How many bytes were copied.</param>
    /// <returns>Whether the producer waits for space and has to be rung.</returns>
    public Wake Read(Span<byte> destination, out int count)
    {
        count = Math.Min(destination.Length, Available);
        var first = ContiguousFrom(_head);
        if (first.Length >= count)
        {
            first[..count].CopyTo(destination);
        }
        else
        {
            first.CopyTo(destination);
            ContiguousFrom(_head + first.Length)[..(count - first.Length)].CopyTo(destination[first.Length..]);
        }

        return Advance(count);
    }

    /// <summary>Gives space back to the producer.</summary>
    /// <returns>
    /// Whether the producer waits for space and has to be rung. It is rung for half a ring, not for each byte. A caller
    /// that consumes less and then waits for more bytes rings it in <see cref="AnnounceSleep"/>.
    /// </returns>
    public Wake Advance(int count)
    {
        FaultPoint.Reach(FaultStep.Read);
        _head += count;

        // Release: the bytes have been read before the producer may overwrite them.
        Volatile.Write(ref _control->Head, _head);

        // Store Head, fence, load ProducerWaiting; the producer stores ProducerWaiting, fences, loads Head
        // (RingProducer.AnnounceWait). One of the two sees the other.
        Interlocked.MemoryBarrier();
        FaultPoint.Reach(FaultStep.RoomGiven);
        return new Wake(
            Volatile.Read(ref _control->ProducerWaiting) != 0 && Available <= _capacity / 2 && TakeProducerWaiting());
    }

    /// <summary>
    /// Says that this end is about to sleep. Afterwards the caller has to call <see cref="ReadProducerState"/> and then
    /// <see cref="Refresh"/> once more: bytes that were published before the producer could see the flag come without a
    /// doorbell, and so does the end.
    /// </summary>
    /// <returns>Whether the producer waits for space, however little there is, and has to be rung.</returns>
    public Wake AnnounceSleep()
    {
        Volatile.Write(ref _control->ConsumerSleeping, 1);

        // Store ConsumerSleeping, fence, load Tail; the producer stores Tail, fences, loads ConsumerSleeping
        // (RingProducer.Publish). The same fence orders the load of ProducerWaiting after the last store of Head.
        Interlocked.MemoryBarrier();
        FaultPoint.Reach(FaultStep.SleepAnnounced);
        return new Wake(
            Volatile.Read(ref _control->ProducerWaiting) != 0 && Available < _capacity && TakeProducerWaiting());
    }

    /// <summary>Says that this end looks by itself for a while, so that the producer need not ring.</summary>
    public void AnnounceAwake()
    {
        // Stored only where it changes something: a producer reads the flag with each frame, and a store takes the line
        // out of its processor's cache.
        if (Volatile.Read(ref _control->ConsumerSleeping) != 0)
        {
            Volatile.Write(ref _control->ConsumerSleeping, 0);
        }
    }

    /// <summary>
    /// Whether the producer has published anything since the last <see cref="Refresh"/>, or has ended; checks nothing.
    /// </summary>
    public bool Peek() =>
        Volatile.Read(ref _control->Tail) != _tail || Volatile.Read(ref _control->ProducerState) != RingEndState.Open;

    /// <summary>Says that this end will read no more.</summary>
    /// <returns>Whether the producer waits for space, which will not come, and has to be rung.</returns>
    public Wake Close(uint state)
    {
        Volatile.Write(ref _control->ConsumerState, state);
        Interlocked.MemoryBarrier();
        return new Wake(Volatile.Read(ref _control->ProducerWaiting) != 0 && TakeProducerWaiting());
    }

    // The flag is taken, not just read, so that a producer that has been rung once is not rung again before it waits
    // again.
    private bool TakeProducerWaiting() => Interlocked.Exchange(ref _control->ProducerWaiting, 0) != 0;

    [DoesNotReturn]
    private void ThrowTailOutOfRange(long tail) =>
        throw new SharedMemoryProtocolException(
            $"The peer's tail cursor is out of range: it went from {_tail} to {tail}, with the head at {_head} in a "
            + $"ring of {_capacity} bytes.");

    [DoesNotReturn]
    private static void ThrowUnknownState(uint state) =>
        throw new SharedMemoryProtocolException($"The peer's producer state is {state}, which means nothing.");
}
