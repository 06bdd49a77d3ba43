using CsCheck;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Connections;

public sealed class RingStreamPropertyTests
{
    private static readonly Gen<int> Size = Gen.OneOf(
        Gen.Int[0, 16], Gen.Int[0, 5000], Gen.Int[4095, 4097], Gen.Int[0, 40_000]);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task ReadWrite_AnySizesAtAnyTime_GivesTheBytesInOrder(bool runInline) =>
        Gen.Select(Size.Array[1, 25], Size.Array[1, 25])
            .SampleAsync((writes, reads) => RunAsync(writes, reads, runInline), iter: 60, threads: 1);

    private static async Task RunAsync(int[] writes, int[] reads, bool runInline)
    {
        await using var pair = await ConnectionPair.CreateAsync();
        pair.Client.RunInline = runInline;
        pair.Server.RunInline = runInline;
        await using var client = new RingStream(pair.Client, FileAccess.ReadWrite);
        await using var server = new RingStream(pair.Server, FileAccess.ReadWrite);

        // Both directions at once; in one direction the sizes of reads and writes are exchanged.
        await Task.WhenAll(
            WriteAsync(client, writes),
            ReadAsync(server, reads, writes.Sum(w => (long)w)),
            WriteAsync(server, reads),
            ReadAsync(client, writes, reads.Sum(r => (long)r))).InTime();
    }

    private static async Task WriteAsync(RingStream stream, int[] sizes)
    {
        await Task.Yield();
        long position = 0;
        foreach (var size in sizes)
        {
            await stream.WritePatternAsync(position, size);
            position += size;
        }
    }

    private static async Task ReadAsync(RingStream stream, int[] sizes, long total)
    {
        await Task.Yield();
        long position = 0;
        for (var i = 0; position < total; i++)
        {
            var bytes = new byte[sizes[i % sizes.Length]];
            var count = await stream.ReadAsync(bytes, TestContext.Current.CancellationToken).InTime();
            Pattern.Verify(bytes.AsSpan(0, count), position);
            position += count;
            if (bytes.Length == 0)
            {
                // The read waited until there were bytes, so there are some.
                Assert.Equal(
                    1, await stream.ReadAsync(bytes = new byte[1], TestContext.Current.CancellationToken).InTime());
                Pattern.Verify(bytes, position++);
            }
            else
            {
                Assert.NotEqual(0, count);
            }
        }
    }
}
