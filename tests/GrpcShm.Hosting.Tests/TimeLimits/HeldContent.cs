using System.Net;
using System.Threading.Channels;

namespace GrpcShm.Hosting.Tests.TimeLimits;

/// <summary>The body of a request. The test decides when its parts are sent, and when it ends.</summary>
internal sealed class HeldContent : HttpContent
{
    private readonly Channel<int> _pieces = Channel.CreateUnbounded<int>();

    public void Send(int count) => Assert.True(_pieces.Writer.TryWrite(count));

    public void End() => _pieces.Writer.TryComplete();

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await foreach (var count in _pieces.Reader.ReadAllAsync())
        {
            await stream.WriteAsync(new byte[count]);
            await stream.FlushAsync();
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        End();
        base.Dispose(disposing);
    }
}
