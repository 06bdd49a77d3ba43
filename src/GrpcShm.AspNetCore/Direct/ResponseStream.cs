using System.IO.Pipelines;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The response's body as a stream.</summary>
internal sealed class ResponseStream(PipeWriter writer, IHttpBodyControlFeature control) : Stream
{
    // Written when the handler has ended, read by any code that has kept the stream. The writer serves the next call,
    // this stream does not.
    private volatile bool _isStopped;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        Forget(Writer().WriteAsync(buffer, cancellationToken));

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        Forget(Writer().FlushAsync(cancellationToken)).AsTask();

    public override void Write(byte[] buffer, int offset, int count)
    {
        ThrowIfAsynchronousOnly();
        WriteAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();
    }

    public override void Flush()
    {
        ThrowIfAsynchronousOnly();
        FlushAsync(CancellationToken.None).GetAwaiter().GetResult();
    }

    public override IAsyncResult BeginWrite(
        byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(WriteAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override void EndWrite(IAsyncResult asyncResult) => TaskToAsyncResult.End(asyncResult);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>
    /// Refuses writes from now on, since the handler has ended: code that has kept the stream must not write into the
    /// next response.
    /// </summary>
    public void Stop() => _isStopped = true;

    private PipeWriter Writer()
    {
        ObjectDisposedException.ThrowIf(_isStopped, this);
        return writer;
    }

    // A handler learns by RequestAborted that its client has gone, so the result of the flush is of no use.
    private static ValueTask Forget(ValueTask<FlushResult> write)
    {
        if (write.IsCompletedSuccessfully)
        {
            _ = write.GetAwaiter().GetResult();
            return default;
        }

        return AwaitAsync(write);

        static async ValueTask AwaitAsync(ValueTask<FlushResult> write) => await write.ConfigureAwait(false);
    }

    private void ThrowIfAsynchronousOnly()
    {
        if (!control.AllowSynchronousIO)
        {
            throw new InvalidOperationException(
                "Synchronous writes are not allowed. Call WriteAsync, or set AllowSynchronousIO to true.");
        }
    }
}
