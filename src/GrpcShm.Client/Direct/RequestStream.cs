using System.IO.Pipelines;

namespace GrpcShm.Client.Direct;

/// <summary>
/// What a request's content is written to. While the content has not returned to its caller, little is kept: a content
/// that completes at once goes in one frame with the headers and the end.
/// </summary>
internal sealed class RequestStream(ClientCall call) : Stream
{
    private volatile bool _isHeld = true;
    private ClientCall? _call = call;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => _call is not null;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>How much has been written so far. One writes at a time.</summary>
    public long WrittenBytes { get; private set; }

    /// <summary>Sends what was kept, and keeps nothing from now on. The content may be writing at the same time.</summary>
    public void LetGo()
    {
        if (_call is { } current)
        {
            lock (current.HoldGate)
            {
                if (_isHeld)
                {
                    try
                    {
                        current.ReleaseRequest();
                    }
                    finally
                    {
                        // Last: who sees it writes without the gate, into what has just been released.
                        _isHeld = false;
                    }
                }
            }
        }
    }

    /// <summary>Takes nothing more.</summary>
    public void End() => _call = null;

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

        return Finish(current, current.CallStream.Output.WriteAsync(buffer, cancellationToken));
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

        // Read once: it is taken away when the content has ended.
        var current = _call;
        if (current is null)
        {
            // As in .NET's own handler: with the call nothing is left to be flushed, and the call says what became of it.
            return Task.CompletedTask;
        }

        if (current.IsOver)
        {
            throw current.CreateWriteException();
        }

        // What is kept is let go of when the content waits for anything, or ends.
        return _isHeld ? Task.CompletedTask : Finish(current, current.CallStream.Output.FlushAsync(cancellationToken)).AsTask();
    }

    public override void Flush() => FlushAsync(CancellationToken.None).GetAwaiter().GetResult();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    private ClientCall Check()
    {
        var current = _call;
        ObjectDisposedException.ThrowIf(current is null, this);
        return !current.IsOver ? current : throw current.CreateWriteException();
    }

    private bool TryKeep(ClientCall current, ReadOnlySpan<byte> bytes)
    {
        lock (current.HoldGate)
        {
            if (!_isHeld)
            {
                return false;
            }

            if (current.CallStream.Output.UnflushedBytes + bytes.Length > current.MaxHeld)
            {
                // It goes with the next write.
                _isHeld = false;
                return false;
            }

            bytes.CopyTo(current.CallStream.Output.GetSpan(bytes.Length));
            current.CallStream.Output.Advance(bytes.Length);
            WrittenBytes += bytes.Length;
            return true;
        }
    }

    private static ValueTask Finish(ClientCall current, ValueTask<FlushResult> flush)
    {
        if (!flush.IsCompletedSuccessfully)
        {
            return FinishAsync(current, flush);
        }

        return flush.Result.IsCompleted ? ValueTask.FromException(current.CreateWriteException()) : default;
    }

    private static async ValueTask FinishAsync(ClientCall current, ValueTask<FlushResult> flush)
    {
        if ((await flush.ConfigureAwait(false)).IsCompleted)
        {
            throw current.CreateWriteException();
        }
    }
}
