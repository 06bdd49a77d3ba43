using System.Buffers;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Connections;

public sealed class RingPipeReaderTests : IAsyncLifetime
{
    private PipePair _pipe = null!;

    private RingPipeReader Reader => _pipe.Reader;

    private static CancellationToken None => CancellationToken.None;

    public async ValueTask InitializeAsync() => _pipe = await PipePair.CreateAsync();

    public ValueTask DisposeAsync() => _pipe.DisposeAsync();

    [Fact]
    public async Task Read_AllExaminedNothingConsumedAndARingThatIsFull_GivesCopiesAndGoesOn()
    {
        var written = _pipe.WriteAsync(0, PipePair.MaxUnconsumed);
        long seen = 0;
        while (seen < PipePair.MaxUnconsumed)
        {
            var result = await _pipe.ReadAsync();
            Assert.True(result.Buffer.Length > seen);
            seen = result.Buffer.Length;
            Pattern.Verify(result.Buffer.ToArray(), 0);
            Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }

        await written.InTime();

        // The reader consumes from the middle of the copies on, past them, and then from the ring again.
        var next = _pipe.WriteAsync(seen, 100);
        var all = (await _pipe.ReadAsync()).Buffer;
        Reader.AdvanceTo(all.GetPosition(5_000));
        var rest = (await _pipe.ReadAsync()).Buffer;
        Pattern.Verify(rest.ToArray(), 5_000);
        Reader.AdvanceTo(rest.End);
        await next.InTime();
        await _pipe.WriteAsync(seen + 100, 1).InTime();
        await _pipe.DrainAsync(rest.Length + 5_000, (int)(seen + 101 - rest.Length - 5_000));
    }

    [Fact]
    public async Task Read_MoreThanTheLimitIsLeftUnconsumed_FailsAndNeverHangs()
    {
        _ = _pipe.WriteAsync(0, PipePair.MaxUnconsumed * 3);
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            while (true)
            {
                var result = await _pipe.ReadAsync();
                Reader.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            }
        });
    }

    [Fact]
    public async Task Read_BytesThatWrapAround_AreOneSequenceOfTwoPieces()
    {
        await _pipe.WriteAsync(0, 4000).InTime();
        await _pipe.DrainAsync(0, 4000);
        await _pipe.WriteAsync(4000, 500).InTime();

        var buffer = (await _pipe.ReadAsync()).Buffer;

        Assert.False(buffer.IsSingleSegment);
        Assert.Equal(96, buffer.First.Length);
        Pattern.Verify(buffer.ToArray(), 4000);
        Reader.AdvanceTo(buffer.GetPosition(96), buffer.GetPosition(97));
        await _pipe.DrainAsync(4096, 404);
    }

    [Fact]
    public async Task Read_NotAllExamined_ReturnsAtOnce()
    {
        await _pipe.WriteAsync(0, 10).InTime();
        var buffer = (await _pipe.ReadAsync()).Buffer;
        Reader.AdvanceTo(buffer.Start, buffer.GetPosition(9));
        Assert.True(Reader.ReadAsync(None).AsTask().IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Read_AllExamined_WaitsForMore()
    {
        await _pipe.WriteAsync(0, 10).InTime();
        var buffer = (await _pipe.ReadAsync()).Buffer;
        Reader.AdvanceTo(buffer.Start, buffer.End);
        var read = Reader.ReadAsync(None).AsTask();
        Assert.False(read.IsCompleted);

        await _pipe.WriteAsync(10, 1).InTime();

        Assert.Equal(11, (await read.InTime()).Buffer.Length);
    }

    [Fact]
    public async Task CancelPendingRead_ReadIsPending_ReturnsCanceledAndLosesNothing()
    {
        var read = _pipe.ReadAsync();
        Reader.CancelPendingRead();
        var result = await read;
        Assert.True(result.IsCanceled);
        Assert.True(result.Buffer.IsEmpty);
        Reader.AdvanceTo(result.Buffer.End);
        await _pipe.WriteAsync(0, 10).InTime();
        await _pipe.DrainAsync(0, 10);
    }

    [Fact]
    public async Task CancelPendingRead_NoReadIsPending_CancelsTheNextOnly()
    {
        await _pipe.WriteAsync(0, 10).InTime();
        Reader.CancelPendingRead();
        var result = await _pipe.ReadAsync();
        Assert.True(result.IsCanceled);
        Reader.AdvanceTo(result.Buffer.Start);
        await _pipe.DrainAsync(0, 10);
    }

    [Fact]
    public async Task Read_TokenIsCancelledWhilePending_ThrowsAndLosesNothing()
    {
        using var source = new CancellationTokenSource();
        var read = Reader.ReadAsync(source.Token).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.InTime());
        await _pipe.WriteAsync(0, 10).InTime();
        await _pipe.DrainAsync(0, 10);
    }

    [Fact]
    public async Task TryRead_NothingAndSomething_SaysWhich()
    {
        Assert.False(Reader.TryRead(out _));
        await _pipe.WriteAsync(0, 10).InTime();
        Assert.True(Reader.TryRead(out var result));
        Pattern.Verify(result.Buffer.ToArray(), 0);
        Reader.AdvanceTo(result.Buffer.End);
        Assert.False(Reader.TryRead(out _));
    }

    [Fact]
    public async Task Read_WriterCompleted_GivesTheRestAndTheEnd()
    {
        await _pipe.WriteAsync(0, 10).InTime();
        await _pipe.Writer.CompleteAsync();
        await _pipe.DrainAsync(0, 10);
        Assert.True((await _pipe.ReadAsync()).IsCompleted);
    }

    [Fact]
    public async Task Read_WriterCompletedWithWhatItHadNotFlushed_GivesThatToo()
    {
        _pipe.Put(0, 10);
        await _pipe.Writer.CompleteAsync();
        await _pipe.DrainAsync(0, 10);
        Assert.True((await _pipe.ReadAsync()).IsCompleted);
    }

    [Fact]
    public async Task Read_WriterCompletedWithAnException_GivesTheRestAndFails()
    {
        await _pipe.WriteAsync(0, 10).InTime();
        await _pipe.Writer.CompleteAsync(new InvalidDataException());
        await _pipe.DrainAsync(0, 10);
        await Assert.ThrowsAnyAsync<IOException>(() => _pipe.ReadAsync());
    }

    [Fact]
    public async Task Read_WriterCompletedWithARestThatDoesNotFit_FailsInsteadOfPassingAPartForAll()
    {
        _pipe.Put(0, 10_000);
        await _pipe.Writer.CompleteAsync();
        await _pipe.DrainAsync(0, 4096);
        await Assert.ThrowsAnyAsync<IOException>(() => _pipe.ReadAsync());
    }

    [Fact]
    public async Task Complete_Reader_TellsTheWriter()
    {
        await Reader.CompleteAsync();
        Assert.True((await _pipe.WriteAsync(0, 10).InTime()).IsCompleted);
        Assert.Throws<ObjectDisposedException>(() => { Reader.TryRead(out _); });
        await Reader.CompleteAsync();
    }

    [Fact]
    public async Task Complete_ReaderWhileAFlushIsPending_EndsTheFlush()
    {
        var flush = _pipe.WriteAsync(0, 10_000);
        Assert.False(flush.IsCompleted);
        await Reader.CompleteAsync();
        Assert.True((await flush.InTime()).IsCompleted);
        Assert.Equal(0, _pipe.Writer.UnflushedBytes - _pipe.Connections.Client.OutboundBytes.Unpublished);
    }

    [Fact]
    public async Task Misuse_OfEveryKind_GivesInvalidOperation()
    {
        Assert.Throws<InvalidOperationException>(() => Reader.AdvanceTo(default));
        var read = Reader.ReadAsync(None).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(() => Reader.ReadAsync(None).InTime());
        Assert.Throws<InvalidOperationException>(() => Reader.TryRead(out _));
        await _pipe.WriteAsync(0, 10).InTime();
        var buffer = (await read.InTime()).Buffer;
        await Assert.ThrowsAsync<InvalidOperationException>(() => Reader.ReadAsync(None).InTime());
        Assert.Throws<InvalidOperationException>(() => Reader.AdvanceTo(buffer.End, buffer.Start));
        Assert.Throws<InvalidOperationException>(
            () => Reader.AdvanceTo(buffer.Start, new SequencePosition(buffer.End.GetObject(), 11)));
        Reader.AdvanceTo(buffer.End);
        Assert.Throws<InvalidOperationException>(() => Reader.AdvanceTo(buffer.End));
    }

    [Fact]
    public async Task Dispose_ResultIsStillHeld_LeavesItsMemoryUntilItIsAdvanced()
    {
        await _pipe.WriteAsync(0, 1000).InTime();
        var buffer = (await _pipe.ReadAsync()).Buffer;

        Reader.Abandon();
        _pipe.Connections.Server.Dispose();
        _pipe.Connections.Client.Dispose();

        Pattern.Verify(buffer.ToArray(), 0);
    }

    [Fact]
    public async Task AdvanceToAndComplete_ConnectionIsDisposed_DoNotThrow()
    {
        var flush = _pipe.WriteAsync(0, 10_000);
        var buffer = (await _pipe.ReadAsync()).Buffer;

        _pipe.Connections.Server.Dispose();

        Reader.AdvanceTo(buffer.End);
        await Reader.CompleteAsync();
        await flush.InTime();
    }

    [Fact]
    public async Task Abandon_BytesComeToAPendingReadAtTheSameMoment_NeverUnmapsWhatTheReadShows()
    {
        for (var i = 0; i < 200; i++)
        {
            await using var pipe = await PipePair.CreateAsync();
            var server = pipe.Connections.Server;
            var read = pipe.Reader.ReadAsync(None).AsTask();
            using var start = new Barrier(2);
            await TimeLimit.OnThreads(
                () =>
                {
                    pipe.Put(0, 10);
                    start.SignalAndWait();
                    pipe.Writer.FlushAsync(None).AsTask().Wait();
                },
                () =>
                {
                    start.SignalAndWait();
                    Thread.SpinWait(i % 200 * 40);
                    pipe.Reader.Abandon();
                    server.Dispose();
                });
            try
            {
                var result = await read.InTime();

                // Throws if the memory is unmapped, whereas touching the memory would crash.
                server.AttachSend(null!);
                Pattern.Verify(result.Buffer.ToArray(), 0);
            }
            catch (IOException)
            {
            }
            catch (ObjectDisposedException) when (!read.IsCompletedSuccessfully)
            {
            }
        }
    }
}
