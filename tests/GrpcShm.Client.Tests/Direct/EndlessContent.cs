using System.Net;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>A content that writes until a write fails.</summary>
internal sealed class EndlessContent : HttpContent
{
    private readonly TaskCompletionSource<Exception> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The exception of the write that failed.</summary>
    public Task<Exception> Ended => _ended.Task;

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        try
        {
            while (true)
            {
                await stream.WriteAsync(new byte[50_000]);
            }
        }
        catch (Exception exception)
        {
            _ended.SetResult(exception);
            throw;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
