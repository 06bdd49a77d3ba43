using CsCheck;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Connections;

public sealed class RingPipePropertyTests
{
    private static readonly Gen<int> Size = Gen.OneOf(
        Gen.Int[0, 16], Gen.Int[0, 3000], Gen.Int[4094, 4098], Gen.Int[0, 20_000]);

    private static readonly Gen<(int Hint, int Count, bool Flush)[]> Writes =
        Gen.Select(Size, Size, Gen.Bool).Array[1, 40];

    // How much of the available data is consumed, and how much of the rest is examined, in eighths.
    private static readonly Gen<(int Consumed, int Examined)[]> Reads =
        Gen.Select(Gen.Int[0, 8], Gen.OneOf(Gen.Const(8), Gen.Int[0, 8])).Array[1, 40];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task WriteFlushReadAdvance_AnyInterleaving_GivesTheBytesInOrder(bool runInline) =>
        Gen.Select(Writes, Reads).SampleAsync(
            (writes, reads) => RunAsync(writes, reads, runInline), iter: 100, threads: 1);

    private static async Task RunAsync((int, int, bool)[] writes, (int, int)[] reads, bool runInline)
    {
        await using var pair = await ConnectionPair.CreateAsync();
        pair.Client.RunInline = runInline;
        pair.Server.RunInline = runInline;
        var writer = new RingPipeWriter(pair.Client);
        var reader = new RingPipeReader(pair.Server, maxUnconsumed: 64 * 1024 * 1024);
        var written = WriteAsync(writer, writes);
        var read = ReadAsync(reader, reads);
        await Task.WhenAll(written, read).InTime();
        Assert.Equal(await written, await read);
    }

    private static async Task<long> WriteAsync(RingPipeWriter writer, (int Hint, int Count, bool Flush)[] writes)
    {
        await Task.Yield();
        long position = 0;
        long unflushed = 0;
        foreach (var (hint, count, flush) in writes)
        {
            var memory = writer.GetMemory(hint);
            Assert.True(memory.Length >= Math.Max(hint, 1));
            var bytes = Math.Min(count, memory.Length);
            Pattern.Fill(memory.Span[..bytes], position);

            // As with a Pipe: a writer that asks again for no more than there is gets the same memory, with the bytes
            // that it has written there.
            var again = writer.GetMemory(hint / 2);
            Assert.True(memory.Span == again.Span);
            writer.Advance(bytes);
            position += bytes;
            unflushed += bytes;
            Assert.Equal(unflushed, writer.UnflushedBytes);
            if (flush)
            {
                var result = await writer.FlushAsync(TestContext.Current.CancellationToken).InTime();
                Assert.False(result.IsCanceled || result.IsCompleted);
                unflushed = 0;
                Assert.Equal(0, writer.UnflushedBytes);
            }
        }

        await writer.FlushAsync(TestContext.Current.CancellationToken).InTime();
        await writer.CompleteAsync();
        return position;
    }

    private static async Task<long> ReadAsync(RingPipeReader reader, (int Consumed, int Examined)[] reads)
    {
        await Task.Yield();
        long position = 0;
        for (var i = 0; ; i++)
        {
            var result = await reader.ReadAsync(TestContext.Current.CancellationToken).InTime();
            var buffer = result.Buffer;
            var checkedBytes = position;
            foreach (var piece in buffer)
            {
                Pattern.Verify(piece.Span, checkedBytes);
                checkedBytes += piece.Length;
            }

            Assert.Equal(buffer.Length, checkedBytes - position);
            if (result.IsCompleted)
            {
                reader.AdvanceTo(buffer.End);
                await reader.CompleteAsync();
                return checkedBytes;
            }

            // Now and then everything is consumed, or a reader that never consumes would only wait for the end.
            var (consumedEighths, examinedEighths) = i % 16 == 15 ? (8, 8) : reads[i % reads.Length];
            var consumed = buffer.Length * consumedEighths / 8;
            var examined = consumed + ((buffer.Length - consumed) * examinedEighths / 8);
            reader.AdvanceTo(buffer.GetPosition(consumed), buffer.GetPosition(examined));
            position += consumed;
        }
    }
}
