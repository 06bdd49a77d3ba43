using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using CsCheck;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Calls;

public sealed class ReceivedBodyTests
{
    private enum Step
    {
        Add,
        Show,
        End,
        Fail,
        Read,
        Wait,
        Advance,
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Read_AnySteps_AgreesWithAPipe() =>
        Gen.Select(Gen.Enum<Step>(), Gen.Int[0, 9000], Gen.Int[0, 100], Gen.Int[0, 100])
            .Array[1, 40]
            .Sample(Run, iter: 20_000, threads: 1, print: static steps => string.Join(", ", steps));

    [Fact]
    public async Task ReadAsync_WriterAndReaderAtOnce_GivesAllBytesInOrder()
    {
        const int Total = 8 * 1024 * 1024;
        var body = Create();
        Action write = () =>
        {
            var random = new Random(1);
            for (var position = 0; position < Total;)
            {
                var count = Math.Min(random.Next(1, 20_000), Total - position);

                // Like a peer that sends no more than it may.
                var waited = Stopwatch.GetTimestamp();
                while (body.CreditCounts.Unused < count)
                {
                    body.Show();
                    Thread.Yield();
                    Assert.True(Stopwatch.GetElapsedTime(waited) < TimeLimit.Value, "The reader gives no credit.");
                }

                body.Add(Pattern.Take(position, count));
                position += count;
                if (random.Next(3) == 0)
                {
                    body.Show();
                }
            }

            body.End(default);
        };
        var read = async () =>
        {
            var random = new Random(2);
            long position = 0;
            while (true)
            {
                var result = await body.ReadAsync(Token);
                long at = position;
                foreach (var piece in result.Buffer)
                {
                    Pattern.Verify(piece.Span, at);
                    at += piece.Length;
                }

                // Some of the data is left for the next read.
                var consumed = result.IsCompleted ? result.Buffer.Length : random.NextInt64(result.Buffer.Length + 1);
                body.AdvanceTo(result.Buffer.GetPosition(consumed), result.Buffer.End);
                position += consumed;
                if (result.IsCompleted)
                {
                    return position;
                }
            }
        };
        var reading = Task.Run(read, Token);
        await TimeLimit.OnThreads(write);
        Assert.Equal(Total, await reading.InTime());
    }

    [Fact]
    public async Task ReadAsync_TokenFires_EndsTheWaitAndLeavesTheData()
    {
        var body = Create();
        using var cancellation = new CancellationTokenSource();
        var read = body.ReadAsync(cancellation.Token).AsTask();
        Assert.False(read.IsCompleted);
        await cancellation.CancelAsync();
        var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.InTime());
        Assert.Equal(cancellation.Token, exception.CancellationToken);

        body.Add([1, 2, 3]);
        body.Show();
        Assert.Equal(3, (await body.ReadAsync(Token)).Buffer.Length);
    }

    [Fact]
    public async Task CancelPendingRead_AtAnyTime_IsToldOnceAndNothingIsLost()
    {
        var body = Create();
        var waiting = body.ReadAsync(Token).AsTask();
        body.CancelPendingRead();
        var result = await waiting.InTime();
        Assert.True(result is { IsCanceled: true, IsCompleted: false, Buffer.IsEmpty: true });
        body.AdvanceTo(result.Buffer.End);

        // The same with data of which nothing is consumed.
        body.Add([1, 2, 3]);
        body.Show();
        Assert.True(body.TryRead(out result));

        // In the middle of a read: the next read is told.
        body.CancelPendingRead();
        body.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        result = await body.ReadAsync(Token);
        Assert.True(result.IsCanceled);
        Assert.Equal(3, result.Buffer.Length);

        // This read has examined less than the one before, so there is something to be seen again.
        body.AdvanceTo(result.Buffer.Start, result.Buffer.GetPosition(1));
        result = await body.ReadAsync(Token);
        Assert.False(result.IsCanceled);
        Assert.Equal([1, 2, 3], result.Buffer.ToArray());
        body.AdvanceTo(result.Buffer.End);
        Assert.False(body.TryRead(out _));
    }

    [Fact]
    public async Task ReadAsync_ReaderCompletesMeanwhile_TheWaitEnds()
    {
        var body = Create();
        var read = body.ReadAsync(Token).AsTask();
        body.Complete();
        await Assert.ThrowsAsync<InvalidOperationException>(() => read.InTime());
    }

    [Fact]
    public async Task ReadAsync_WhileOneWaits_ThrowsAndTheFirstGoesOn()
    {
        var body = Create();
        var first = body.ReadAsync(Token).AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await body.ReadAsync(Token));
        body.End([7]);
        Assert.Equal([7], (await first.InTime()).Buffer.ToArray());
    }

    [Fact]
    public void AdvanceTo_BehindWhatWasRead_Throws()
    {
        var body = Create();
        body.Add(new byte[10]);
        body.Show();
        Assert.True(body.TryRead(out var result));
        body.Add(new byte[10]);
        Assert.Throws<ArgumentOutOfRangeException>(() => body.AdvanceTo(result.Buffer.End, result.Buffer.Start));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => body.AdvanceTo(new SequencePosition(result.Buffer.Start.GetObject(), 11)));
        body.AdvanceTo(result.Buffer.End);
        Assert.Throws<InvalidOperationException>(() => body.AdvanceTo(result.Buffer.End));
        Assert.False(body.TryRead(out _));
    }

    [Fact]
    public void AdvanceTo_PositionOfAnotherBuffer_Throws()
    {
        var body = Create();
        body.Add(new byte[10]);
        body.Show();
        Assert.True(body.TryRead(out _));
        var other = new ReadOnlySequence<byte>(new byte[5]);
        Assert.Throws<ArgumentOutOfRangeException>(() => body.AdvanceTo(other.End));
    }

    [Fact]
    public void Reuse_AfterAnyUse_IsAsNew()
    {
        var body = Create();
        for (var round = 0; round < 3; round++)
        {
            body.Add(new byte[5000]);
            body.Show();
            Assert.True(body.TryRead(out var result));
            body.AdvanceTo(result.Buffer.GetPosition(10), result.Buffer.GetPosition(4000));
            body.Fail(new IOException(), byPeer: true);
            body.CancelPendingRead();
            body.Complete();
            body.Reuse();
            Assert.False(body.TryRead(out _));
            body.End([1, 2]);
            Assert.True(body.TryRead(out result));
            Assert.Equal([1, 2], result.Buffer.ToArray());
            Assert.True(result is { IsCompleted: true, IsCanceled: false });
            body.Complete();
            body.Reuse();
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(10_000)]
    public void Complete_WhileAReadIsOut_LeavesItsMemoryAlone(int size)
    {
        var body = Create();
        body.Add(Pattern.Take(0, size));
        body.Show();
        Assert.True(body.TryRead(out var result));

        // By another thread than the reader's.
        body.Complete();
        Assert.False(body.IsUnused);
        body.Reuse();
        body.Add(new byte[size]);
        var rented = Enumerable.Range(0, 16).Select(_ => ArrayPool<byte>.Shared.Rent(size)).ToList();
        rented.ForEach(static array => array.AsSpan().Clear());

        Assert.Equal(Pattern.Take(0, size), result.Buffer.ToArray());
        rented.ForEach(static array => ArrayPool<byte>.Shared.Return(array));
    }

    [Fact]
    public async Task Complete_WhileAReadWaits_IsInUseUntilThatHasEnded()
    {
        var body = Create();
        var read = body.ReadAsync(Token);
        body.Complete();
        Assert.False(body.IsUnused);
        await Assert.ThrowsAsync<InvalidOperationException>(() => read.AsTask().InTime());
        Assert.True(body.IsUnused);
    }

    [Fact]
    public void Complete_AfterAReadHasEnded_IsUnused()
    {
        var body = Create();
        Assert.True(body.IsUnused);
        body.End([1, 2, 3]);
        Assert.True(body.TryRead(out var result));
        body.AdvanceTo(result.Buffer.End);
        body.Complete();
        Assert.True(body.IsUnused);
    }

    [Fact]
    public async Task ReadAsync_TakenTwice_LeavesTheNextOneAlone()
    {
        var body = Create();
        using var cancellation = new CancellationTokenSource();
        var first = body.ReadAsync(Token);
        body.Add([1]);
        body.Show();
        body.AdvanceTo((await first.AsTask().InTime()).Buffer.End);
        var second = body.ReadAsync(cancellation.Token);

        // The ValueTask belongs to the first read, so it must not end with the next one.
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await first);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second.AsTask().InTime());
    }

    private static ReceivedBody Create() => new(new TestCall(new RunProfile(RunMode.ThreadPool)).Stream);

    /// <summary>
    /// Does the same to a body and to a pipe without thresholds, and compares what their readers see.
    /// </summary>
    /// <remarks>Without cancellations: a pipe forgets a cancellation that comes between a read and its end.</remarks>
    private static void Run((Step Step, int Size, int Consumed, int Examined)[] steps)
    {
        var body = Create();
        var pipe = new Pipe(new PipeOptions(
            pauseWriterThreshold: 0,
            resumeWriterThreshold: 0,
            readerScheduler: PipeScheduler.Inline,
            useSynchronizationContext: false));
        var position = 0;
        var hasEnded = false;
        Task<ReadResult>? waits = null;
        Task<ReadResult>? pipeWaits = null;
        ReadResult? current = null;
        ReadResult pipeCurrent = default;
        foreach (var (step, size, consumed, examined) in steps)
        {
            switch (step)
            {
                case Step.Add when !hasEnded:
                    var data = Pattern.Take(position, size);
                    body.Add(data);
                    pipe.Writer.Write(data);
                    position += size;
                    break;
                case Step.Show when !hasEnded:
                    body.Show();
                    Assert.True(pipe.Writer.FlushAsync(Token).AsTask().IsCompletedSuccessfully);
                    break;
                case Step.End when !hasEnded && examined < 30:
                    hasEnded = true;
                    body.End(default);
                    pipe.Writer.Complete();
                    break;
                case Step.Fail when !hasEnded && examined < 10:
                    hasEnded = true;
                    var failure = new IOException("lost");
                    body.Fail(failure, byPeer: true);
                    pipe.Writer.Complete(failure);
                    break;
                case Step.Read when current is null && waits is null:
                    (current, pipeCurrent) = Compare(
                        () => body.TryRead(out var r) ? r : null, () => pipe.Reader.TryRead(out var r) ? r : null);
                    break;
                case Step.Wait when current is null && waits is null:
                    waits = ReadAsync(body);
                    pipeWaits = ReadAsync(pipe.Reader);
                    break;
                case Step.Advance when current is { } result:
                    Advance(body, result, consumed, examined);
                    Advance(pipe.Reader, pipeCurrent, consumed, examined);
                    current = null;
                    break;
            }

            if (waits is not null)
            {
                // A read that the body has woken completes on the thread pool.
                Assert.True(!pipeWaits!.IsCompleted || Task.WhenAny(waits).Wait(TimeLimit.Value, Token));
                Assert.Equal(pipeWaits!.IsCompleted, waits.IsCompleted);
                if (waits.IsCompleted)
                {
                    (current, pipeCurrent) = Compare(
                        () => waits.GetAwaiter().GetResult(), () => pipeWaits.GetAwaiter().GetResult());
                    (waits, pipeWaits) = (null, null);
                }
            }
        }
    }

    private static void Advance(PipeReader reader, ReadResult result, int consumed, int examined)
    {
        var consumedTo = result.Buffer.Length * consumed / 100;
        var examinedTo = Math.Max(consumedTo, result.Buffer.Length * examined / 90);
        reader.AdvanceTo(
            result.Buffer.GetPosition(consumedTo),
            result.Buffer.GetPosition(Math.Min(examinedTo, result.Buffer.Length)));
    }

    private static (ReadResult? Result, ReadResult Expected) Compare(Func<ReadResult?> read, Func<ReadResult?> readPipe)
    {
        var (result, thrown) = Try(read);
        var (expected, alsoThrown) = Try(readPipe);
        Assert.Equal(alsoThrown?.GetType(), thrown?.GetType());
        Assert.Equal(expected.HasValue, result.HasValue);
        if (result is not { } seen || expected is not { } model)
        {
            return (null, default);
        }

        Assert.Equal(model.Buffer.ToArray(), seen.Buffer.ToArray());
        Assert.Equal(model.IsCompleted, seen.IsCompleted);
        Assert.Equal(model.IsCanceled, seen.IsCanceled);
        return (seen, model);
    }

    private static (ReadResult? Result, Exception? Exception) Try(Func<ReadResult?> read)
    {
        try
        {
            return (read(), null);
        }
        catch (Exception exception)
        {
            return (null, exception);
        }
    }

    private static async Task<ReadResult> ReadAsync(PipeReader reader) => await reader.ReadAsync(Token);
}
