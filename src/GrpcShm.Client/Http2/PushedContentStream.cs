using System.Net;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Http2;

/// <summary>The stream of a request's body that can be ended during a write. One write at a time.</summary>
internal sealed class PushedContentStream(Stream stream) : AsyncStream
{
    // Neither is disposed: a write may be about to use them. They hold no timer and no handle.
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _writing = new(1);

    // The thread that asks the content for its bytes, as long as it does so.
    private volatile int _copyingThread;
    private volatile bool _wroteItself;
    private volatile bool _isPushed;
    private volatile bool _isCopied;

    public override bool CanRead => false;

    public override bool CanWrite => true;

    /// <summary>True if the content has written while it was asked for its bytes.</summary>
    public bool WroteItself => _wroteItself;

    /// <summary>
    /// True if the content writes all of its bytes again when it is asked again. A content that hands the stream to
    /// other code does not: it does so once, and the other code writes once.
    /// </summary>
    public bool CanRepeat => !_isPushed && (_wroteItself || _isCopied);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask WriteAsync(
        ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (Environment.CurrentManagedThreadId == _copyingThread)
        {
            _wroteItself = true;
        }
        else
        {
            _isPushed = true;
        }

        await _writing.WaitAsync(_ending.Token).ConfigureAwait(false);
        try
        {
            // A cancelled write over HTTP/2 cancels the body in any case.
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

    /// <summary>Asks a content for its bytes.</summary>
    /// <returns>A task that completes when all bytes are written, whoever writes them.</returns>
    public Task CopyFrom(HttpContent content, TransportContext? context, CancellationToken cancellationToken)
    {
        _copyingThread = Environment.CurrentManagedThreadId;
        try
        {
            return WhenCopiedAsync(content.CopyToAsync(this, context, cancellationToken));
        }
        finally
        {
            _copyingThread = 0;
        }
    }

    /// <summary>Ends the write that is under way, waits for its end, and lets no other write begin.</summary>
    public Task EndAsync()
    {
        _ending.Cancel();
        return _writing.WaitAsync(CancellationToken.None);
    }

    private async Task WhenCopiedAsync(Task copy)
    {
        await copy.ConfigureAwait(false);
        _isCopied = true;
    }
}
