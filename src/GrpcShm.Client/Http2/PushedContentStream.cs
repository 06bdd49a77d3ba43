using System.Net;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Http2;

/// <summary>A request body's stream that can be ended while somebody writes to it. One write at a time.</summary>
internal sealed class PushedContentStream(Stream stream) : AsyncStream
{
    // Neither is disposed: a write may be about to use them. They have no timer and no handle to let go.
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _writing = new(1);

    // The thread on which the content is asked for its bytes, while it is.
    private volatile int _copyingThread;
    private volatile bool _wroteItself;
    private volatile bool _isPushed;
    private volatile bool _isCopied;

    public override bool CanRead => false;

    public override bool CanWrite => true;

    /// <summary>Whether the content has written to it while it was asked to.</summary>
    public bool WroteItself => _wroteItself;

    /// <summary>
    /// Whether the content writes all of it again if it is asked again. It does not where it hands the stream out: it
    /// does so once, and what others write comes once, too.
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

    /// <summary>Asks a content for its bytes.</summary>
    /// <returns>The rest of its work, which is over when all are written, by whomever.</returns>
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

    /// <summary>Ends the write that is under way, waits for that, and lets no other begin.</summary>
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
