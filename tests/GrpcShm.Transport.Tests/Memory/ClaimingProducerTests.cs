using System.Buffers.Binary;
using System.Diagnostics;
using CsCheck;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Tests.Memory;

public sealed class ClaimingProducerTests
{
    private const int GapMark = -1;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(2, 1024)]
    [InlineData(4, 256)]
    [InlineData(8, 4096)]
    public async Task Claim_ManyThreads_ConsumerSeesEachThreadsPiecesInOrderAndWhole(int threads, int capacity)
    {
        const int PiecesPerThread = 20_000;
        using var ring = new RingInPrivateMemory(capacity);
        var producer = Create(ring, capacity);
        var consumer = ring.Consumer;
        var pieces = new int[threads];
        var running = threads;
        var begun = Stopwatch.GetTimestamp();
        var produce = Enumerable.Range(0, threads).Select<int, Action>(thread => () =>
        {
            var random = new Random(thread);

            // Where other programs keep the processors busy, fewer pieces have to do.
            for (var i = 0; i < PiecesPerThread && Stopwatch.GetElapsedTime(begun) < MostTime; i++)
            {
                var size = random.Next(16, producer.MaxClaim + 1);
                RingClaim claim;
                for (var wait = default(SpinWait); !producer.TryClaim(size, out claim);)
                {
                    // Not only yields: a yield hands a whole time slice to any other busy thread of the machine.
                    wait.SpinOnce();
                }

                Write(producer, claim, thread, i, size);
                producer.Commit(claim);
                pieces[thread]++;
            }

            Interlocked.Decrement(ref running);
        });
        var next = new int[threads];
        var consume = () =>
        {
            var wait = default(SpinWait);
            while (true)
            {
                // Before the look: what a thread has committed before it ended is seen then.
                var isLast = Volatile.Read(ref running) == 0;
                if (consumer.Refresh() > 0)
                {
                    wait.Reset();
                    Verify(consumer, next);
                }
                else if (isLast)
                {
                    break;
                }
                else
                {
                    wait.SpinOnce();
                }
            }
        };
        await TimeLimit.OnThreads([.. produce, consume]);
        Assert.Equal(pieces, next);
        Assert.Equal(producer.Published, TailOf(ring));
        ring.VerifyGuards();
    }

    [Fact]
    public void Claim_AnyStepsOfManyWriters_AgreesWithTheModel() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[1, 512], Gen.Int[0, 1000]).Array[1, 200].Sample(Run, iter: 2_000, threads: 1);

    [Fact]
    public void TryClaim_RingIsFull_FailsUntilThereIsRoomInOneStretch()
    {
        using var ring = new RingInPrivateMemory(512);
        var producer = Create(ring, 512);
        Put(producer, 256);
        Put(producer, 192);
        Assert.False(producer.TryClaim(65, out _));
        Assert.False(producer.HasRoom(65));
        Assert.True(producer.HasRoom(64));

        ring.Consumer.Refresh();
        ring.Consumer.Advance(64);

        // 64 bytes at the end and 64 at the beginning do not make a piece of 128.
        Assert.False(producer.TryClaim(128, out _));
        ring.Consumer.Advance(64);
        Assert.True(producer.HasRoom(128));
        Assert.True(producer.TryClaim(128, out var claim));
        Assert.Equal(64, claim.Gap);
    }

    [Fact]
    public void Commit_LaterPieceFirst_BothArePublishedWithTheEarlierOne()
    {
        using var ring = new RingInPrivateMemory(512);
        var producer = Create(ring, 512);
        ring.Consumer.AnnounceSleep();
        Assert.True(producer.TryClaim(64, out var first));
        Assert.True(producer.TryClaim(64, out var second));
        Assert.False(producer.Commit(second).IsNeeded);
        Assert.Equal(0, ring.Consumer.Refresh());
        Assert.True(producer.Commit(first).IsNeeded);
        Assert.Equal(128, ring.Consumer.Refresh());
    }

    [Fact]
    public void Commit_ConsumerSleeps_RingsOnce()
    {
        using var ring = new RingInPrivateMemory(512);
        var producer = Create(ring, 512);
        ring.Consumer.AnnounceSleep();
        Assert.True(Put(producer, 64));
        Assert.False(Put(producer, 64));
    }

    [Fact]
    public unsafe void CommitQuietly_ConsumerSleeps_ShowsThePieceAndLeavesTheFlag()
    {
        using var ring = new RingInPrivateMemory(512);
        var producer = Create(ring, 512);
        ring.Consumer.AnnounceSleep();
        Assert.True(producer.TryClaim(64, out var claim));

        Assert.False(producer.CommitQuietly(claim, out var isOwed).IsNeeded);

        Assert.True(isOwed);
        Assert.Equal(64, TailOf(ring));
        Assert.NotEqual(0u, ring.Control->ConsumerSleeping);
        Assert.True(producer.TakeSleeper().IsNeeded);
        Assert.False(producer.TakeSleeper().IsNeeded);
    }

    [Fact]
    public void CommitQuietly_ConsumerIsAwake_OwesNothing()
    {
        using var ring = new RingInPrivateMemory(512);
        var producer = Create(ring, 512);
        ring.Consumer.AnnounceAwake();
        Assert.True(producer.TryClaim(64, out var claim));
        Assert.False(producer.CommitQuietly(claim, out var isOwed).IsNeeded);
        Assert.False(isOwed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CommitQuietly_ShowsAPieceOfAnother_RingsForThat(bool isOtherBehind)
    {
        using var ring = new RingInPrivateMemory(512);
        var producer = Create(ring, 512);
        ring.Consumer.AnnounceSleep();
        Assert.True(producer.TryClaim(64, out var first));
        Assert.True(producer.TryClaim(64, out var second));
        Assert.True(producer.TryClaim(64, out var third));

        // The other cannot show its piece, since the first is incomplete, and so it rings for nobody.
        Assert.False(producer.Commit(isOtherBehind ? second : third).IsNeeded);
        if (!isOtherBehind)
        {
            Assert.False(producer.CommitQuietly(second, out var isOwedForNothing).IsNeeded);
            Assert.False(isOwedForNothing);
        }

        Assert.True(producer.CommitQuietly(first, out var isOwed).IsNeeded);
        Assert.False(isOwed);
    }

    [Theory]
    [InlineData(-64)]
    [InlineData(320)]
    [InlineData(32)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public unsafe void TryClaim_HeadOutOfRange_Throws(long head)
    {
        using var ring = new RingInPrivateMemory(512);
        var producer = Create(ring, 512);
        Put(producer, 256);
        Assert.True(producer.TryClaim(256, out var claim));
        ring.Control->Head = head;
        Assert.Throws<SharedMemoryProtocolException>(() => producer.TryClaim(64, out _));
        Assert.Throws<SharedMemoryProtocolException>(() => producer.HasRoom(64));
        producer.Commit(claim);
        ring.VerifyGuards();
    }

    [Fact]
    public unsafe void TryClaim_HeadGoesBack_Throws()
    {
        using var ring = new RingInPrivateMemory(512);
        var producer = Create(ring, 512);
        Put(producer, 256);
        ring.Control->Head = 256;
        Put(producer, 256);
        Put(producer, 256);
        ring.Control->Head = 64;
        Assert.Throws<SharedMemoryProtocolException>(() => producer.TryClaim(64, out _));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(17)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public unsafe void Commit_PeerWritesTheTail_NothingOutsideIsTouched(long tail)
    {
        using var ring = new RingInPrivateMemory(512);
        var producer = Create(ring, 512);
        for (var i = 0; i < 100; i++)
        {
            Put(producer, 200);
            ring.Control->Head = producer.Published;
            ring.Control->Tail = tail;
        }

        ring.VerifyGuards();
    }

    private static unsafe ClaimingProducer Create(RingInPrivateMemory ring, int capacity) =>
        new(ring.Control, ring.Data, capacity);

    private static unsafe long TailOf(RingInPrivateMemory ring) => ring.Control->Tail;

    private static bool Put(ClaimingProducer producer, int size)
    {
        Assert.True(producer.TryClaim(size, out var claim));
        Write(producer, claim, 0, 0, size);
        return producer.Commit(claim).IsNeeded;
    }

    private static void Write(ClaimingProducer producer, in RingClaim claim, int thread, int number, int size)
    {
        if (claim.Gap > 0)
        {
            var gap = producer.GapOf(claim);
            gap.Fill(0xEE);
            BinaryPrimitives.WriteInt32LittleEndian(gap, GapMark);
            BinaryPrimitives.WriteInt32LittleEndian(gap[4..], claim.Gap);
        }

        var span = producer.SpanOf(claim);
        Assert.InRange(span.Length, size, size + ClaimingProducer.Unit - 1);
        BinaryPrimitives.WriteInt32LittleEndian(span, thread);
        BinaryPrimitives.WriteInt32LittleEndian(span[4..], span.Length);
        BinaryPrimitives.WriteInt32LittleEndian(span[8..], number);
        span[12..].Fill((byte)(thread + number));
    }

    /// <summary>Takes the bytes that are there, piece by piece.</summary>
    private static int Verify(RingConsumer consumer, int[] next)
    {
        var pieces = 0;
        while (consumer.Available > 0)
        {
            var available = consumer.ContiguousFrom(consumer.Head);
            var thread = BinaryPrimitives.ReadInt32LittleEndian(available);
            var length = BinaryPrimitives.ReadInt32LittleEndian(available[4..]);
            if (thread == GapMark)
            {
                Assert.Equal(available.Length, length);
            }
            else
            {
                Assert.Equal(next[thread], BinaryPrimitives.ReadInt32LittleEndian(available[8..]));
                Assert.False(
                    available[12..length].ContainsAnyExcept((byte)(thread + next[thread])), "A piece was overwritten.");
                next[thread]++;
                pieces++;
            }

            // The reader has owned the piece until here: a producer that wrote over it has been found out above.
            consumer.Advance(length);
        }

        return pieces;
    }

    private static void Run((int Kind, int Size, int Choice)[] steps)
    {
        const int Capacity = 1024;
        using var ring = new RingInPrivateMemory(Capacity);
        var producer = Create(ring, Capacity);
        var open = new List<RingClaim>();
        var claimed = 0L;
        var number = 0;
        var next = new int[1];
        foreach (var (kind, size, choice) in steps)
        {
            switch (kind)
            {
                case 0:
                    var rounded = (size + 63) / 64 * 64;
                    var offset = claimed % Capacity;
                    var gap = offset + rounded > Capacity ? Capacity - offset : 0;
                    var fits = claimed + gap + rounded - ring.Consumer.Head <= Capacity;
                    Assert.Equal(fits, producer.HasRoom(size));
                    Assert.Equal(fits, producer.TryClaim(size, out var claim));
                    if (fits)
                    {
                        Assert.Equal(new RingClaim(claimed, (int)gap, claimed + gap + rounded), claim);
                        Write(producer, claim, 0, number++, Math.Max(size, 1));
                        claimed = claim.End;
                        open.Add(claim);
                    }

                    break;
                case 1 when open.Count > 0:
                    var one = open[choice % open.Count];
                    open.Remove(one);
                    producer.Commit(one);
                    break;
                default:
                    ring.Consumer.Refresh();
                    Verify(ring.Consumer, next);
                    break;
            }

            Assert.Equal(open.Count > 0 ? open[0].Start : claimed, producer.Published);
            Assert.Equal(producer.Published, TailOf(ring));
        }

        ring.VerifyGuards();
    }
}
