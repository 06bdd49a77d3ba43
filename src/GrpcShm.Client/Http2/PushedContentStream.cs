using System.Net;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Http2;

/// <summary>A request body's stream that can be ended while somebody writes to it. One write at a time.</summary>
internal sealed class PushedContentStream(Stream stream) : AsyncStream
{
    private static readonly object Pushed = new();

    // Neither is disposed: a write may be about to use them. They have no timer and no handle to let go.
    private readonly CancellationTokenSource _ending = new();
    private readonly SemaphoreSlim _writing = new(1);

    // What comes first stands: that others than the content have written to it, or the stream of the content's next attempt.
    private object? _fate;

    // The thread on which the content is asked for its bytes, while it is.
    private volatile int _copyingThread;

    public override bool CanRead => false;

    public override bool CanWrite => true;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // What the content itself writes it writes again if it is asked again.
        if (Environment.CurrentManagedThreadId != _copyingThread
            && Interlocked.CompareExchange(ref _fate, Pushed, null) is PushedContentStream successor)
        {
            return successor.WriteAsync(buffer, cancellationToken);
        }

        return WriteHereAsync(buffer, cancellationToken);
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Volatile.Read(ref _fate) is PushedContentStream successor
        ? successor.FlushAsync(cancellationToken)
        : stream.FlushAsync(cancellationToken);

    /// <summary>Lets a content write to it, or hand it out.</summary>
    public Task CopyFromAsync(HttpContent content, TransportContext? context, CancellationToken cancellationToken)
    {
        _copyingThread = Environment.CurrentManagedThreadId;
        try
        {
            return content.CopyToAsync(this, context, cancellationToken);
        }
        finally
        {
            _copyingThread = 0;
        }
    }

    /// <summary>
    /// Lets what others write go to the stream of the content's next attempt, for a content may hand out only the first it gets.
    /// </summary>
    /// <returns>False if something has gone to this one: nobody writes that again.</returns>
    public bool TryHandOver(PushedContentStream successor) => Interlocked.CompareExchange(ref _fate, successor, null) is null;

    /// <summary>Ends the write that is under way, waits for that, and lets no other begin.</summary>
    public Task EndAsync()
    {
        _ending.Cancel();
        return _writing.WaitAsync(CancellationToken.None);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WriteHereAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
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
}
