using GrpcShm.Transport;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Fuzz.Targets;

/// <summary>
/// Both ends of a ring, while a peer writes any values into the control fields. An input is a list of steps: one byte
/// for the kind of step, and then the step's arguments.
/// </summary>
internal sealed unsafe class RingTarget : IFuzzTarget
{
    private const int Steps = 18;
    private const int MaxSteps = 100;

    private readonly Lazy<GuardedRing> _ring = new(static () => new GuardedRing());
    private readonly byte[] _bytes = new byte[GuardedRing.Capacity + 256];
    private long _written;
    private long _read;
    private bool _isTampered;
    private int _violations;

    public string Name => "ring";

    public int Weight => 60;

    public int MaxLength => 400;

    public IEnumerable<byte[]> Seeds =>
    [
        [0, 100, 0, 3, 6, 7, 50, 0, 8, 50, 0, 1],
        [0, 255, 15, 3, 6, 0, 255, 15, 4, 7, 255, 15, 1, 0, 255, 15, 3, 6, 8, 255, 255],
        [0, 10, 0, 3, 6, 9, 13, 0, 0, 5, 6, 13, 1, 0, 5, 1, 13, 2, 0, 7, 5, 13, 3, 0, 7, 10],
        [2, 10, 0, 3, 11, 12, 10, 6, 7, 10, 0, 15, 0, 14, 0, 16, 17],
        [0, 0, 16, 3, 6, 7, 0, 16, 13, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 6, 13, 1, 9, 1, 2, 3, 4, 5, 6, 7, 8, 1],
    ];

    public string Run(ReadOnlySpan<byte> input)
    {
        _ring.Value.Reset();
        _written = 0;
        _read = 0;
        _isTampered = false;
        _violations = 0;
        var seen = 0;
        var reader = new InputReader(input);
        for (var i = 0; i < MaxSteps && !reader.IsEmpty; i++)
        {
            var step = reader.TakeByte() % Steps;
            var (head, tail, free) = (_ring.Value.Consumer.Head, _ring.Value.Consumer.Tail, _ring.Value.Producer.Free);
            try
            {
                Step(step, ref reader);
                seen |= 1 << step;
            }
            catch (SharedMemoryProtocolException)
            {
                FuzzFailureException.ThrowIf(!_isTampered, "A peer was accused of a violation that it did not make.");
                FuzzFailureException.ThrowIf(
                    head != _ring.Value.Consumer.Head
                        || tail != _ring.Value.Consumer.Tail
                        || free != _ring.Value.Producer.Free,
                    "A refused value changed the cursors.");
                _violations |= 1 << step;
            }

            Verify(head, tail);
        }

        return $"{seen:x} {_violations:x}";
    }

    private void Step(int step, ref InputReader reader)
    {
        var (producer, consumer) = (_ring.Value.Producer, _ring.Value.Consumer);
        switch (step)
        {
            case 0:
                var bytes = Pattern(_written, reader.TakeUInt16());
                _written += producer.Write(bytes);
                break;
            case 1:
                producer.Refresh();
                break;
            case 2:
                var inPlace = Pattern(_written, Math.Min(reader.TakeUInt16(), producer.Contiguous));
                inPlace.CopyTo(_ring.Value.Data[producer.Offset..]);
                producer.Commit(inPlace.Length);
                _written += inPlace.Length;
                break;
            case 3:
                producer.Publish();
                break;
            case 4:
                producer.AnnounceWait();
                break;
            case 5:
                producer.ReadConsumerState();
                break;
            case 6:
                consumer.Refresh();
                break;
            case 7:
                var read = _bytes.AsSpan(0, Math.Min(reader.TakeUInt16(), _bytes.Length));
                consumer.Read(read, out var copied);
                Check(read[..copied]);
                break;
            case 8:
                var count = Math.Min(reader.TakeUInt16(), consumer.Available);
                consumer.Advance(count);
                _read += count;
                break;
            case 9:
                consumer.AnnounceSleep();
                break;
            case 10:
                consumer.ReadProducerState();
                break;
            case 11:
                consumer.AnnounceAwake();
                break;
            case 12:
                consumer.Peek();
                break;
            case 13:
                Tamper(ref reader);
                break;
            case 14:
                producer.Close(RingEndState.Completed);
                break;
            case 15:
                consumer.Close(RingEndState.Completed);
                break;
            case 16:
                LookAtAll(consumer);
                break;
            default:
                _isTampered = true;
                _ring.Value.Data.Fill(reader.TakeByte());
                break;
        }
    }

    /// <summary>An action of a peer: any value in any field, but mostly a value that is nearly valid.</summary>
    private void Tamper(ref InputReader reader)
    {
        _isTampered = true;
        var control = _ring.Value.Control;
        var field = reader.TakeByte();
        var kind = reader.TakeByte();
        var near = (sbyte)reader.TakeByte();
        var value = (kind % 10) switch
        {
            0 => near,
            1 => control->Head + near,
            2 => control->Tail + near,
            3 => control->Head + GuardedRing.Capacity + near,
            4 => control->Tail - GuardedRing.Capacity + near,
            5 => long.MaxValue + near,
            6 => (1L << 32) + control->Head + near,
            7 => (1L << 31) + control->Tail + near,
            _ => reader.TakeInt64(),
        };
        switch (field % 6)
        {
            case 0:
                control->Tail = value;
                break;
            case 1:
                control->Head = value;
                break;
            case 2:
                control->ProducerState = (uint)value;
                break;
            case 3:
                control->ConsumerState = (uint)value;
                break;
            case 4:
                control->ConsumerSleeping = (uint)value;
                break;
            default:
                control->ProducerWaiting = (uint)value;
                break;
        }
    }

    private void Verify(long head, long tail)
    {
        var (producer, consumer) = (_ring.Value.Producer, _ring.Value.Consumer);
        FuzzFailureException.ThrowIf(consumer.Head < head || consumer.Tail < tail, "A cursor went back.");
        FuzzFailureException.ThrowIf(
            consumer.Available is < 0 or > GuardedRing.Capacity, "More bytes are available than the ring has.");
        FuzzFailureException.ThrowIf(
            producer.Free is < 0 or > GuardedRing.Capacity, "More bytes are free than the ring has.");
        FuzzFailureException.ThrowIf(
            producer.Offset is < 0 or >= GuardedRing.Capacity, "The next byte goes outside of the ring.");
        FuzzFailureException.ThrowIf(
            producer.Contiguous < 0 || producer.Offset + producer.Contiguous > GuardedRing.Capacity,
            "The free piece goes beyond the ring.");
        FuzzFailureException.ThrowIf(
            producer.Unpublished is < 0 or > GuardedRing.Capacity, "More bytes are unpublished than the ring has.");
    }

    private void LookAtAll(RingConsumer consumer)
    {
        var first = consumer.ContiguousFrom(consumer.Head);
        var second = consumer.ContiguousFrom(consumer.Head + first.Length)[..(consumer.Available - first.Length)];
        FuzzFailureException.ThrowIf(
            consumer.OffsetOf(consumer.Head) + first.Length > GuardedRing.Capacity
                || second.Length > GuardedRing.Capacity - first.Length,
            "Available bytes lie outside of the ring.");

        // This touches each byte, so that a byte outside of the ring ends the process.
        first.CopyTo(_bytes);
        second.CopyTo(_bytes.AsSpan(first.Length));
    }

    private void Check(ReadOnlySpan<byte> read)
    {
        for (var i = 0; i < read.Length && !_isTampered; i++)
        {
            FuzzFailureException.ThrowIf(read[i] != At(_read + i), "The read bytes differ from the written bytes.");
        }

        _read += read.Length;
    }

    private Span<byte> Pattern(long position, int count)
    {
        var bytes = _bytes.AsSpan(0, Math.Min(count, _bytes.Length));
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] = At(position + i);
        }

        return bytes;
    }

    // 251 is a prime, so that a byte of another round through the ring is noticed.
    private static byte At(long position) => (byte)(position % 251);
}
