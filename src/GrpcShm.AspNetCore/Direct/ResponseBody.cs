using System.IO.Pipelines;
using GrpcShm.Transport.Calls;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The writer of a response's body. Status and headers are settled before any byte is sent.</summary>
internal sealed class ResponseBody(ServerCall call) : PipeWriter
{
    private readonly SentBody _output = call.CallStream.Output;

    // Written when the handler has ended, read by any code that has kept the writer.
    private volatile bool _isStopped;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _output.UnflushedBytes;

    private ResponseProgress Progress => call.Response.Progress;

    private ResponseCallbacks Callbacks => call.Response.Callbacks;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Check();
        return _output.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Check();
        return _output.GetSpan(sizeHint);
    }

    public override void Advance(int bytes)
    {
        Check();
        var progress = Progress;
        progress.NoteAdvance(bytes);
        progress.ThrowIfBodyForbidden();
        progress.CountWritten(bytes);
        _output.Advance(bytes);
    }

    public override void CancelPendingFlush() => _output.CancelPendingFlush();

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        FlushAsync(isQuiet: false, cancellationToken);

    /// <summary>As the other one, but a client that sleeps may be woken later, for something else.</summary>
    /// <param name="isQuiet">Whether it may be woken later.</param>
    /// <param name="cancellationToken">Ends the wait; what is written is still sent.</param>
    public ValueTask<FlushResult> FlushAsync(bool isQuiet, CancellationToken cancellationToken)
    {
        Check(cancellationToken);
        if (!Progress.HasStarted)
        {
            if (Callbacks.HasStarting)
            {
                return FlushAfterCallbacksAsync(cancellationToken);
            }

            Progress.Start(0);
        }

        return isQuiet ? _output.FlushQuietlyAsync(cancellationToken) : _output.FlushAsync(cancellationToken);
    }

    public override ValueTask<FlushResult> WriteAsync(
        ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        Check(cancellationToken);
        return !Progress.HasStarted && Callbacks.HasStarting
            ? WriteAfterCallbacksAsync(source, cancellationToken)
            : WriteNow(source, cancellationToken);
    }

    public override void Complete(Exception? exception = null)
    {
        ThrowIfStopped();
        var completion = Progress.CompleteAsync(exception);
        if (completion.IsCompleted)
        {
            completion.GetAwaiter().GetResult();
        }
    }

    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        ThrowIfStopped();
        return new ValueTask(Progress.CompleteAsync(exception));
    }

    /// <summary>Drops the bytes that have not been flushed.</summary>
    public void Drop() => call.CallStream.Output.Drop();

    /// <summary>
    /// Refuses writes from now on, since the handler has ended: code that has kept the writer must not write into the
    /// next response.
    /// </summary>
    public void Stop() => _isStopped = true;

    public void Reuse() => _isStopped = false;

    /// <exception cref="ObjectDisposedException">The handler has ended.</exception>
    public void ThrowIfStopped() => ObjectDisposedException.ThrowIf(_isStopped, this);

    private void Check(CancellationToken cancellationToken = default)
    {
        ThrowIfStopped();
        cancellationToken.ThrowIfCancellationRequested();
        if (Progress.IsComplete)
        {
            throw new InvalidOperationException(
                "The response has been completed: nothing can be written to it any more.");
        }
    }

    private ValueTask<FlushResult> WriteNow(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        var progress = Progress;
        if (progress.HasStarted)
        {
            progress.CountWritten(source.Length);
        }
        else
        {
            progress.Start(source.Length);
        }

        progress.ThrowIfBodyForbidden();
        return _output.WriteAsync(source, cancellationToken);
    }

    private async ValueTask<FlushResult> FlushAfterCallbacksAsync(CancellationToken cancellationToken)
    {
        using var wait = Callbacks.BeginWait();
        await Progress.RunStartingCallbacksAsync().ConfigureAwait(false);
        ThrowIfStopped();
        Progress.Start(0);
        return await _output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<FlushResult> WriteAfterCallbacksAsync(
        ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
    {
        using var wait = Callbacks.BeginWait();
        await Progress.RunStartingCallbacksAsync().ConfigureAwait(false);
        ThrowIfStopped();
        return await WriteNow(source, cancellationToken).ConfigureAwait(false);
    }
}
