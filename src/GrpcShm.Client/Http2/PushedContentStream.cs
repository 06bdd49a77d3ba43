using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Http2;

/// <summary>A request body's stream that can be ended while somebody writes to it. One write at a time.</summary>
internal sealed class PushedContentStream(Stream stream) : AsyncStream
{
    // Neither is disposed: a write may be about to use them. They have no timer and no handle to let go.
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _writing = new(1);

    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(_ending.Token).ConfigureAwait(false);
        try
        {
            // To cancel a write of HTTP/2 cancels the body in any case.
            using var cancellation = cancellationToken.UnsafeRegister(
                static ending => ((CancellationTokenSource)ending!).Cancel(), _ending);
            await stream.WriteAsync(buffer, _ending.Token).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => stream.FlushAsync(cancellationToken);

    /// <summary>Ends the write that is under way, waits for that, and lets no other begin.</summary>
    public Task EndAsync()
    {
        _ending.Cancel();
        return _writing.WaitAsync(CancellationToken.None);
    }
}
