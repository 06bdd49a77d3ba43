using System.Buffers;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Connections;

public sealed class RingPipeWriterTests : IAsyncLifetime
{
    private PipePair _pipe = null!;

    private RingPipeWriter Writer => _pipe.Writer;

    private static CancellationToken None => CancellationToken.None;

    public async ValueTask InitializeAsync() => _pipe = await PipePair.CreateAsync();

    public ValueTask DisposeAsync() => _pipe.DisposeAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(1_000_000)]
    public async Task GetMemory_AnyHint_GivesAtLeastThatAndTheBytesArrive(int hint)
    {
        var memory = Writer.GetMemory(hint);
        Assert.True(memory.Length >= Math.Max(1, hint));
        Pattern.Fill(memory.Span, 0);
        Writer.Advance(memory.Length);
        var flush = _pipe.FlushAsync();
        await _pipe.DrainAsync(0, memory.Length);
        Assert.False((await flush.InTime()).IsCompleted);
    }

    [Fact]
    public async Task GetMemory_TheRingEndsWithinTheHint_GivesOnePieceAndKeepsTheOrder()
    {
        await _pipe.WriteAsync(0, 4000).InTime();
        await _pipe.DrainAsync(0, 4000);
        _pipe.Put(4000, 50);
        _pipe.Put(4050, 200);
        _pipe.Put(4250, 10);
        await _pipe.FlushAsync().InTime();
        await _pipe.DrainAsync(4000, 260);
    }

    [Fact]
    public void GetMemory_NothingAdvanced_MayBeAskedAgain()
    {
        Writer.GetMemory(10_000);
        Writer.GetMemory(20_000);
        Writer.GetMemory(1);
        Assert.Equal(0, Writer.UnflushedBytes);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(150)]
    public async Task GetMemory_AskedAgainForLess_GivesTheSameMemoryWithWhatWasWritten(int hint)
    {
        // The ring has 96 bytes in one piece: room for the second request and not for the first.
        await _pipe.WriteAsync(0, 4000).InTime();
        await _pipe.DrainAsync(0, 4000);

        // Kestrel writes a chunk like this: first the data, behind a gap, and then the bytes in the gap.
        var memory = Writer.GetMemory(200);
        Pattern.Fill(memory.Span[10..150], 4010);
        var again = Writer.GetMemory(hint);
        Assert.True(memory.Span == again.Span);
        Pattern.Fill(again.Span[..10], 4000);
        Writer.Advance(10);
        Writer.Advance(140);
        Assert.Equal(150, Writer.UnflushedBytes);

        await _pipe.FlushAsync().InTime();
        await _pipe.DrainAsync(4000, 150);
    }

    [Fact]
    public async Task UnflushedBytes_WhileAFlushWaits_IsNone()
    {
        var flush = _pipe.WriteAsync(0, 10_000);
        Assert.Equal(0, Writer.UnflushedBytes);
        await _pipe.DrainAsync(0, 10_000);
        await flush.InTime();
    }

    [Fact]
    public async Task Flush_MoreThanTheRingHolds_IsPendingUntilAllIsInTheRing()
    {
        var flush = _pipe.WriteAsync(0, 4096 * 3);
        await _pipe.DrainAsync(0, 4096);
        Assert.False(flush.IsCompleted);
        await _pipe.DrainAsync(4096, 4096 * 2);
        var result = await flush.InTime();
        Assert.False(result.IsCanceled || result.IsCompleted);
        Assert.Equal(0, Writer.UnflushedBytes);
    }

    [Fact]
    public async Task UnflushedBytes_InTheRingAndBeside_CountsBoth()
    {
        Assert.True(Writer.CanGetUnflushedBytes);
        _pipe.Put(0, 100);
        Assert.Equal(100, Writer.UnflushedBytes);
        _pipe.Put(100, 8000);
        Assert.Equal(8100, Writer.UnflushedBytes);
        var flush = _pipe.FlushAsync();
        await _pipe.DrainAsync(0, 8100);
        await flush.InTime();
        Assert.Equal(0, Writer.UnflushedBytes);
    }

    [Fact]
    public async Task CancelPendingFlush_FlushIsPending_ReturnsCanceledAndLosesNothing()
    {
        var flush = _pipe.WriteAsync(0, 10_000);
        Writer.CancelPendingFlush();
        Assert.True((await flush.InTime()).IsCanceled);
        var next = _pipe.WriteAsync(10_000, 10);
        await _pipe.DrainAsync(0, 10_010);
        Assert.False((await next.InTime()).IsCanceled);
    }

    [Fact]
    public async Task CancelPendingFlush_NoFlushIsPending_CancelsTheNextOnly()
    {
        Writer.CancelPendingFlush();
        Assert.True((await _pipe.WriteAsync(0, 10).InTime()).IsCanceled);
        Assert.False((await _pipe.WriteAsync(10, 10).InTime()).IsCanceled);
        await _pipe.DrainAsync(0, 20);
    }

    [Fact]
    public async Task Flush_TokenIsCancelledWhilePending_ThrowsAndLosesNothing()
    {
        using var source = new CancellationTokenSource();
        _pipe.Put(0, 10_000);
        var flush = Writer.FlushAsync(source.Token).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => flush.InTime());
        var next = _pipe.WriteAsync(10_000, 10);
        await _pipe.DrainAsync(0, 10_010);
        await next.InTime();
    }

    [Fact]
    public async Task Flush_TokenFiresAtAnyMoment_HasBegunOrHasNotAndNeverBoth()
    {
        const int Times = 200_000;
        const int Drained = 2000;
        const int Over = int.MaxValue;
        var refused = 0;
        var started = 0;
        CancellationTokenSource? source = null;
        Action cancel = () =>
        {
            var cancelled = 0;
            int last;
            while ((last = Volatile.Read(ref started)) != Over)
            {
                if (last == cancelled)
                {
                    Thread.SpinWait(1);
                    continue;
                }

                cancelled = last;
                Volatile.Read(ref source)!.Cancel();
            }
        };
        var cancelling = TimeLimit.OnThreads(cancel);
        try
        {
            // However late the other thread is, there have to be cases of both kinds.
            for (var i = 1; i <= Times || ((refused == 0 || refused == i - 1) && !cancelling.IsCompleted); i++)
            {
                source = new CancellationTokenSource();
                _pipe.Put(i - 1, 1);
                Volatile.Write(ref started, i);
                for (var steps = i % 200; steps > 0; steps--)
                {
                    _ = Volatile.Read(ref started);
                }

                var flush = Writer.FlushAsync(source.Token);

                // There is room, so the flush does not wait: a look at the token has ended it.
                Assert.True(flush.IsCompleted);
                if (flush.IsCanceled)
                {
                    refused++;
                    Assert.Equal(1, Writer.UnflushedBytes);
                    await _pipe.FlushAsync().InTime();
                }

                Assert.Equal(0, Writer.UnflushedBytes);
                if (i % Drained == 0)
                {
                    await _pipe.DrainAsync(i - Drained, Drained);
                }
            }
        }
        finally
        {
            Volatile.Write(ref started, Over);
        }

        await cancelling;
    }

    [Fact]
    public void Abandon_WriterHoldsMemoryThatIsNoneOfTheRing_LeavesItToTheWriter()
    {
        var memory = Writer.GetMemory(10_000);
        Assert.True(MemoryMarshal.TryGetArray((ReadOnlyMemory<byte>)memory, out var held));

        Writer.Abandon();

        // The pool gives first the array that this thread has returned last.
        var rented = ArrayPool<byte>.Shared.Rent(held.Array!.Length);
        Assert.NotSame(held.Array, rented);
        ArrayPool<byte>.Shared.Return(rented);
        Pattern.Fill(memory.Span, 0);
        Writer.Advance(10_000);
    }

    [Fact]
    public async Task Flush_PeerIsGone_SaysCompletedAndDoesNotThrow()
    {
        _pipe.Connections.Server.Dispose();
        await TimeLimit.UntilAsync(() => _pipe.Connections.Client.PeerIsGone, () => "The peer's end was not noticed.");
        Assert.True((await _pipe.WriteAsync(0, 10_000).InTime()).IsCompleted);
        Assert.True((await _pipe.WriteAsync(0, 100_000).InTime()).IsCompleted);
    }

    [Fact]
    public async Task Flush_PendingWhenThePeerGoes_SaysCompleted()
    {
        var flush = _pipe.WriteAsync(0, 10_000);
        _pipe.Connections.Server.Dispose();
        Assert.True((await flush.InTime()).IsCompleted);
    }

    [Fact]
    public async Task Flush_PendingWhenThisSideIsDisposed_SaysCompleted()
    {
        var flush = _pipe.WriteAsync(0, 10_000);
        _pipe.Connections.Client.Dispose();
        Assert.True((await flush.InTime()).IsCompleted);
    }

    [Fact]
    public async Task Misuse_OfEveryKind_IsRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Writer.GetMemory(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Writer.Advance(1));
        var length = Writer.GetMemory(10).Length;
        Assert.Throws<ArgumentOutOfRangeException>(() => Writer.Advance(length + 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Writer.Advance(-1));
        Writer.Advance(0);
        var flush = _pipe.WriteAsync(0, 10_000);
        Assert.Throws<InvalidOperationException>(() => Writer.GetMemory(1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Writer.FlushAsync(None).InTime());
        Assert.Throws<ArgumentOutOfRangeException>(() => Writer.Advance(1));
        await _pipe.DrainAsync(0, 10_000);
        await flush.InTime();
    }

    [Fact]
    public async Task Complete_Twice_IsOnce()
    {
        await Writer.CompleteAsync();
        await Writer.CompleteAsync(new InvalidDataException());
        Assert.Throws<ObjectDisposedException>(() => Writer.GetMemory(1));
        Assert.True((await _pipe.ReadAsync()).IsCompleted);
    }

    [Fact]
    public async Task Complete_ConnectionIsDisposedAndThePeerSleeps_DoesNotThrow()
    {
        await using var server = new RingStream(_pipe.Connections.Server, FileAccess.Read);
        var read = server.ReadAsync(new byte[10], None).AsTask();
        _pipe.Put(0, 10);

        _pipe.Connections.Client.Dispose();

        await Writer.CompleteAsync();

        // Bytes that were published after the end of the socket may or may not be read.
        await Task.WhenAny(read).InTime();
    }
}
