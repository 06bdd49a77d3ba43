using CsCheck;

namespace GrpcShm.Transport.Tests.Memory;

/// <summary>A peer that writes arbitrary values into the control fields.</summary>
public sealed unsafe class RingAttackTests
{
    // Head at 40, tail at 70, in a ring of 64 bytes.
    [Theory]
    [InlineData(40 + 64 + 1)]
    [InlineData(69)]
    [InlineData(39)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(long.MinValue + 40)]
    [InlineData(70 + (1L << 32))]
    public void ConsumerRefresh_TailOutOfRange_ThrowsAndBelievesNothing(long tail)
    {
        using var ring = Used();
        ring.Control->Tail = tail;

        Assert.Throws<SharedMemoryProtocolException>(() => ring.Consumer.Refresh());

        Assert.Equal(40, ring.Consumer.Head);
        Assert.Equal(70, ring.Consumer.Tail);
        ring.Consumer.Read(new byte[100], out var count);
        Assert.Equal(30, count);
        ring.VerifyGuards();
    }

    [Theory]
    [InlineData(71)]
    [InlineData(39)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(70 + 64)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    [InlineData(40 + (1L << 32))]
    public void ProducerRefresh_HeadOutOfRange_ThrowsAndBelievesNothing(long head)
    {
        using var ring = Used();
        ring.Control->Head = head;

        Assert.Throws<SharedMemoryProtocolException>(() => ring.Producer.Refresh());
        Assert.Throws<SharedMemoryProtocolException>(() => { ring.Producer.Write(new byte[64]); });

        Assert.Equal(34, ring.Producer.Free);
        Assert.Equal(34, ring.Producer.Write(new byte[34]));
        ring.VerifyGuards();
    }

    [Fact]
    public void ProducerRefresh_HeadBeyondWhatIsPublished_Throws()
    {
        using var ring = Used();
        ring.Producer.Write(new byte[10]);
        ring.Control->Head = 71;
        Assert.Throws<SharedMemoryProtocolException>(() => ring.Producer.Refresh());
    }

    [Theory]
    [InlineData(3u)]
    [InlineData(uint.MaxValue)]
    [InlineData(0x80000000u)]
    public void ReadState_Unknown_Throws(uint state)
    {
        using var ring = Used();
        ring.Control->ProducerState = state;
        ring.Control->ConsumerState = state;
        Assert.Throws<SharedMemoryProtocolException>(() => ring.Consumer.ReadProducerState());
        Assert.Throws<SharedMemoryProtocolException>(() => ring.Producer.ReadConsumerState());
    }

    [Fact]
    public void OwnCursors_Overwritten_AreNeverReadBack()
    {
        using var ring = Used();
        ring.Control->Tail = 71;
        ring.Producer.Write(Pattern.Take(70, 5));
        ring.Producer.Publish();
        Assert.Equal(75, ring.Control->Tail);
        ring.Consumer.Refresh();
        ring.Control->Head = -7;
        ring.Consumer.Advance(1);
        Assert.Equal(41, ring.Control->Head);
    }

    [Fact]
    public void Ring_AnyCursorsAtAnyTime_NeverTouchesAnythingOutside()
    {
        var step = Gen.Select(Gen.Int[0, 7], Gen.Int[0, 100], Gen.OneOf(Gen.Long, Gen.Long[-100, 300]));
        step.Array[1, 100].Sample(
            steps =>
            {
                using var ring = Used();
                foreach (var (kind, size, value) in steps)
                {
                    try
                    {
                        Step(ring, kind, size, value);
                    }
                    catch (SharedMemoryProtocolException)
                    {
                        // The connection ends here. Even if it went on, the ring would stay safe.
                    }

                    Assert.InRange(ring.Consumer.Available, 0, 64);
                    Assert.InRange(ring.Producer.Free, 0, 64);
                    Assert.InRange(ring.Producer.Offset + ring.Producer.Contiguous, 0, 64);
                }

                ring.VerifyGuards();
            },
            iter: 3_000,
            threads: 1);
    }

    private static void Step(RingInPrivateMemory ring, int kind, int size, long value)
    {
        switch (kind)
        {
            case 0:
                ring.Control->Tail = value;
                break;
            case 1:
                ring.Control->Head = value;
                break;
            case 2:
                ring.Control->ConsumerSleeping = ring.Control->ProducerWaiting = (uint)value;
                break;
            case 3:
                ring.Producer.Write(new byte[size]);
                break;
            case 4:
                ring.Producer.Publish();
                break;
            case 5:
                ring.Consumer.Refresh();
                break;
            case 6:
                ring.Consumer.Read(new byte[size], out _);
                break;
            default:
                ring.Producer.Refresh();
                break;
        }
    }

    private static RingInPrivateMemory Used()
    {
        var ring = new RingInPrivateMemory(64);
        ring.Producer.Write(new byte[40]);
        ring.Producer.Publish();
        ring.Consumer.Refresh();
        ring.Consumer.Advance(40);
        ring.Producer.Write(new byte[30]);
        ring.Producer.Publish();
        ring.Consumer.Refresh();
        return ring;
    }
}
