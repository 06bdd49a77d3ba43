using CsCheck;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Tests.Memory;

/// <summary>The ring beside a model that consists of three positions in an endless stream.</summary>
public sealed class RingModelTests
{
    private const int Write = 0;
    private const int WriteInPlace = 1;
    private const int Publish = 2;
    private const int Read = 3;
    private const int Advance = 4;
    private const int Look = 5;

    private static readonly Gen<(int Kind, int Size)[]> Steps =
        Gen.Select(Gen.Int[Write, Look], Gen.Int[0, 80]).Array[1, 300];

    [Fact]
    public void Ring_AnyInterleaving_GivesTheBytesInOrder() =>
        Steps.Sample(steps => Run(steps), iter: 2_000, threads: 1);

    private static unsafe void Run((int Kind, int Size)[] steps)
    {
        using var ring = new RingInPrivateMemory(64);
        var producer = ring.Producer;
        var consumer = ring.Consumer;
        long committed = 0;
        long published = 0;
        long consumed = 0;
        foreach (var (kind, size) in steps)
        {
            switch (kind)
            {
                case Write:
                    var taken = producer.Write(Pattern.Take(committed, size));
                    Assert.Equal(Math.Min(size, 64 - (int)(committed - consumed)), taken);
                    committed += taken;
                    break;
                case WriteInPlace:
                    producer.Refresh();
                    var room = Math.Min(size, producer.Contiguous);
                    Assert.InRange(producer.Offset + room, 0, 64);
                    Pattern.Fill(new Span<byte>(ring.Data + producer.Offset, room), committed);
                    producer.Commit(room);
                    committed += room;
                    break;
                case Publish:
                    producer.Publish();
                    published = committed;
                    break;
                case Read:
                    consumer.Refresh();
                    var bytes = new byte[size];
                    consumer.Read(bytes, out var count);
                    Assert.Equal(Math.Min(size, (int)(published - consumed)), count);
                    Pattern.Verify(bytes.AsSpan(0, count), consumed);
                    consumed += count;
                    break;
                case Advance:
                    consumer.Refresh();
                    var first = consumer.ContiguousFrom(consumer.Head);
                    Assert.InRange(consumer.OffsetOf(consumer.Head) + first.Length, 0, 64);
                    Pattern.Verify(first, consumed);
                    Pattern.Verify(
                        consumer.ContiguousFrom(consumer.Head + first.Length)[..(consumer.Available - first.Length)],
                        consumed + first.Length);
                    var advanced = Math.Min(size, consumer.Available);
                    consumer.Advance(advanced);
                    consumed += advanced;
                    break;
                default:
                    Assert.Equal(published != consumer.Tail, consumer.Peek());
                    Assert.Equal((int)(published - consumed), consumer.Refresh());
                    break;
            }

            Assert.Equal(committed - published, producer.Unpublished);
            Assert.Equal(consumed, consumer.Head);
        }

        ring.VerifyGuards();
    }

    [Fact]
    public void Close_AfterPublish_IsSeenWithTheLastTail()
    {
        using var ring = new RingInPrivateMemory();
        ring.Producer.Write(Pattern.Take(0, 10));
        ring.Producer.Publish();

        ring.Producer.Close(RingEndState.Completed);

        Assert.Equal(RingEndState.Completed, ring.Consumer.ReadProducerState());
        Assert.Equal(10, ring.Consumer.Refresh());
    }

    [Theory]
    [InlineData(RingEndState.Completed)]
    [InlineData(RingEndState.Aborted)]
    public void Peek_ProducerHasEnded_SaysSo(uint state)
    {
        using var ring = new RingInPrivateMemory();
        Assert.False(ring.Consumer.Peek());

        ring.Producer.Close(state);

        Assert.True(ring.Consumer.Peek());
    }

    [Fact]
    public void Publish_ConsumerSleeps_RingsOnce()
    {
        using var ring = new RingInPrivateMemory();
        Assert.False(ring.Consumer.AnnounceSleep().IsNeeded);
        ring.Producer.Write([1]);
        Assert.True(ring.Producer.Publish().IsNeeded);
        ring.Producer.Write([2]);
        Assert.False(ring.Producer.Publish().IsNeeded);
    }

    [Fact]
    public void Publish_ConsumerIsAwakeAgain_RingsNobody()
    {
        using var ring = new RingInPrivateMemory();
        ring.Consumer.AnnounceSleep();
        ring.Consumer.AnnounceAwake();
        ring.Producer.Write([1]);
        Assert.False(ring.Producer.Publish().IsNeeded);
    }

    [Fact]
    public void Publish_NothingCommitted_RingsNobody()
    {
        using var ring = new RingInPrivateMemory();
        ring.Consumer.AnnounceSleep();
        Assert.False(ring.Producer.Publish().IsNeeded);
    }

    [Fact]
    public void Advance_ProducerWaits_IsRungForHalfARingOrWhenTheConsumerSleeps()
    {
        using var ring = new RingInPrivateMemory(64);
        ring.Producer.Write(new byte[64]);
        ring.Producer.Publish();
        ring.Consumer.Refresh();
        ring.Producer.AnnounceWait();

        Assert.False(ring.Consumer.Advance(31).IsNeeded);
        Assert.True(ring.Consumer.Advance(1).IsNeeded);
        Assert.False(ring.Consumer.Advance(1).IsNeeded);

        ring.Producer.AnnounceWait();
        Assert.True(ring.Consumer.AnnounceSleep().IsNeeded);
    }

    [Fact]
    public void Close_PeerWaits_IsRung()
    {
        using var ring = new RingInPrivateMemory();
        ring.Producer.AnnounceWait();
        Assert.True(ring.Consumer.Close(RingEndState.Completed).IsNeeded);
        ring.Consumer.AnnounceSleep();
        Assert.True(ring.Producer.Close(RingEndState.Aborted).IsNeeded);
    }
}
