using System.IO.Pipelines;

namespace GrpcShm.Client.Http;

/// <summary>
/// The stream that a request's content is written to. Until the content has returned to its caller, it is kept as far
/// as it is small: a content that completes at once goes in one frame with the headers and the end.
/// </summary>
internal sealed class RequestStream(HttpExchange exchange) : Stream
{
    private volatile bool _isHeld = true;
    private HttpExchange? _exchange = exchange;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => _exchange is not null;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The number of bytes that have been written so far. One thread writes at a time.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>
    /// Sends the bytes that were kept, and keeps none from now on. The content may be writing at the same time.
    /// </summary>
    public void LetGo()
    {
        if (_exchange is { } current)
        {
            lock (current.HoldGate)
            {
                if (_isHeld)
                {
                    try
                    {
                        current.Call.CallStream.Output.Release();
                    }
                    finally
                    {
                        // Last: a writer that sees this writes without the gate, to an output that no longer holds
                        // back.
                        _isHeld = false;
                    }
                }
            }
        }
    }

    /// <summary>Takes nothing more.</summary>
    public void End() => _exchange = null;

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var current = Check();
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        if (_isHeld && TryKeep(current, buffer.Span))
        {
            return default;
        }

        WrittenBytes += buffer.Length;

        return Finish(current, current.Call.CallStream.Output.WriteAsync(buffer, cancellationToken));
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        Write(buffer.AsSpan(offset, count));
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (_isHeld && TryKeep(Check(), buffer))
        {
            return;
        }

        WriteAsync(buffer.ToArray()).AsTask().GetAwaiter().GetResult();
    }

    public override void WriteByte(byte value) => Write([value]);

    public override Task FlushAsync(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        // Read once: the field is cleared when the content has ended.
        var current = _exchange;
        if (current is null)
        {
            // As in .NET's own handler: when the call has ended, nothing is left to be flushed, and the call itself
            // reports its failure.
            return Task.CompletedTask;
        }

        if (current.Call.IsOver)
        {
            throw current.CreateWriteException();
        }

        // The bytes that are kept are sent when the content waits for anything, or ends.
        return _isHeld
            ? Task.CompletedTask
            : Finish(current, current.Call.CallStream.Output.FlushAsync(cancellationToken)).AsTask();
    }

    public override void Flush() => FlushAsync(CancellationToken.None).GetAwaiter().GetResult();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private HttpExchange Check()
    {
        var current = _exchange;
        ObjectDisposedException.ThrowIf(current is null, this);
        return !current.Call.IsOver ? current : throw current.CreateWriteException();
    }

    private bool TryKeep(HttpExchange current, ReadOnlySpan<byte> bytes)
    {
        lock (current.HoldGate)
        {
            if (!_isHeld)
            {
                return false;
            }

            if (current.Call.CallStream.Output.UnflushedBytes + bytes.Length > current.MaxHeld)
            {
                // The bytes that are kept go with this write.
                _isHeld = false;
                return false;
            }

            bytes.CopyTo(current.Call.CallStream.Output.GetSpan(bytes.Length));
            current.Call.CallStream.Output.Advance(bytes.Length);
            WrittenBytes += bytes.Length;
            return true;
        }
    }

    private static ValueTask Finish(HttpExchange current, ValueTask<FlushResult> flush)
    {
        if (!flush.IsCompletedSuccessfully)
        {
            return FinishAsync(current, flush);
        }

        return flush.Result.IsCompleted ? ValueTask.FromException(current.CreateWriteException()) : default;
    }

    private static async ValueTask FinishAsync(HttpExchange current, ValueTask<FlushResult> flush)
    {
        if ((await flush.ConfigureAwait(false)).IsCompleted)
        {
            throw current.CreateWriteException();
        }
    }
}
