using System.IO.Pipelines;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Tests.Connections;

/// <summary>A writer at one end of a connection and a reader at the other.</summary>
internal sealed class PipePair : IAsyncDisposable
{
    public const int MaxUnconsumed = 3 * RingSizes.Smallest;

    private PipePair(ConnectionPair connections)
    {
        Connections = connections;
        Writer = new RingPipeWriter(connections.Client);
        Reader = new RingPipeReader(connections.Server, MaxUnconsumed);
    }

    public ConnectionPair Connections { get; }

    public RingPipeWriter Writer { get; }

    public RingPipeReader Reader { get; }

    public static async Task<PipePair> CreateAsync() => new(await ConnectionPair.CreateAsync());

    public void Put(long position, int count)
    {
        Pattern.Fill(Writer.GetSpan(count)[..count], position);
        Writer.Advance(count);
    }

    public Task<FlushResult> WriteAsync(long position, int count)
    {
        Put(position, count);
        return FlushAsync();
    }

    public Task<FlushResult> FlushAsync() => Writer.FlushAsync(TestContext.Current.CancellationToken).AsTask();

    public Task<ReadResult> ReadAsync() => Reader.ReadAsync(TestContext.Current.CancellationToken).InTime();

    /// <summary>Reads, checks and consumes until so many bytes have come.</summary>
    public async Task DrainAsync(long position, int count)
    {
        while (count > 0)
        {
            var result = await ReadAsync();
            Assert.False(result.IsCompleted);
            foreach (var piece in result.Buffer)
            {
                Pattern.Verify(piece.Span, position);
                position += piece.Length;
                count -= piece.Length;
            }

            Reader.AdvanceTo(result.Buffer.End);
        }

        Assert.Equal(0, count);
    }

    /// <summary>
    /// Closes the connections first, so that bytes which a test has left unread do not hold up the completing.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        await Connections.DisposeAsync();
        await Writer.CompleteAsync();
        await Reader.CompleteAsync();
    }
}
