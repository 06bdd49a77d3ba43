using System.IO.Pipelines;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The writer of the response's body.</summary>
internal abstract partial class ServerCall
{
    /// <summary>The response's body: settles the response before anything of it can go.</summary>
    private sealed class ResponseBody(ServerCall call) : PipeWriter
    {
        private volatile bool _isStopped;

        public override bool CanGetUnflushedBytes => true;

        public override long UnflushedBytes => call.CallStream.Output.UnflushedBytes;

        public override Memory<byte> GetMemory(int sizeHint = 0)
        {
            Check();
            return call.CallStream.Output.GetMemory(sizeHint);
        }

        public override Span<byte> GetSpan(int sizeHint = 0)
        {
            Check();
            return call.CallStream.Output.GetSpan(sizeHint);
        }

        public override void Advance(int bytes)
        {
            Check();
            call._hasAdvanced |= bytes > 0;
            ThrowIfForbidden();
            call.CountWritten(bytes);
            call.CallStream.Output.Advance(bytes);
        }

        public override void CancelPendingFlush() => call.CallStream.Output.CancelPendingFlush();

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            Check(cancellationToken);
            if (!call._hasStarted)
            {
                if (call.HasStartingCallbacks)
                {
                    return FlushAfterCallbacksAsync(cancellationToken);
                }

                call.Start(0);
            }

            return call.CallStream.Output.FlushAsync(cancellationToken);
        }

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            Check(cancellationToken);
            return !call._hasStarted && call.HasStartingCallbacks
                ? WriteAfterCallbacksAsync(source, cancellationToken)
                : WriteNow(source, cancellationToken);
        }

        public override void Complete(Exception? exception = null)
        {
            ThrowIfStopped();
            var completion = call.CompleteResponseAsync(exception);
            if (completion.IsCompleted)
            {
                completion.GetAwaiter().GetResult();
            }
        }

        public override ValueTask CompleteAsync(Exception? exception = null)
        {
            ThrowIfStopped();
            return new ValueTask(call.CompleteResponseAsync(exception));
        }

        /// <summary>Drops what has not been flushed.</summary>
        public void Drop() => call.CallStream.DropWritten();

        /// <summary>Its handler has ended: whoever has kept this must not write into the next response.</summary>
        public void Stop() => _isStopped = true;

        public void Reuse() => _isStopped = false;

        /// <exception cref="ObjectDisposedException">Its handler has ended.</exception>
        public void ThrowIfStopped() => ObjectDisposedException.ThrowIf(_isStopped, this);

        private void Check(CancellationToken cancellationToken = default)
        {
            ThrowIfStopped();
            cancellationToken.ThrowIfCancellationRequested();
            if (call._isComplete)
            {
                throw new InvalidOperationException("The response has been completed: nothing can be written to it any more.");
            }
        }

        private void ThrowIfForbidden()
        {
            if (call._isBodyForbidden)
            {
                throw new InvalidOperationException($"A response with the status {call._statusCode} has no content that could be written.");
            }
        }

        private ValueTask<FlushResult> WriteNow(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
        {
            if (call._hasStarted)
            {
                call.CountWritten(source.Length);
            }
            else
            {
                call.Start(source.Length);
            }

            ThrowIfForbidden();
            return call.CallStream.Output.WriteAsync(source, cancellationToken);
        }

        private async ValueTask<FlushResult> FlushAfterCallbacksAsync(CancellationToken cancellationToken)
        {
            using var wait = new StartingWait(call);
            await call.RunStartingCallbacksAsync().ConfigureAwait(false);
            ThrowIfStopped();
            call.Start(0);
            return await call.CallStream.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        private async ValueTask<FlushResult> WriteAfterCallbacksAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
        {
            using var wait = new StartingWait(call);
            await call.RunStartingCallbacksAsync().ConfigureAwait(false);
            ThrowIfStopped();
            return await WriteNow(source, cancellationToken).ConfigureAwait(false);
        }
    }
}
