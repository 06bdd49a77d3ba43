using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Starts and ends a response. Whatever a handler does, and in whatever order, right or wrong, handler and client see
/// the same as with Kestrel over HTTP/2. By the handler.
/// </summary>
internal sealed class ResponseProgress(
    ServerCall call, ResponseHead head, ResponseCallbacks callbacks, ResponseBody body)
{
    private long _bytesWritten;
    private bool _hasAdvanced;
    private bool _isBodyForbidden;

    /// <summary>The exception with which the handler has failed, if it has.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>True once status and headers are settled.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>True once the end of the response has been sent, or the call has been broken off.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>True once the response has ended in order, so that nothing can be written any more.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>
    /// Notes a failure, by which the response becomes an error, or ends by a reset if it has started. The first failure
    /// stays, unless a later one says that the request is bad: that one has the status that the client should see, as
    /// in Kestrel.
    /// </summary>
    public void SetFailure(Exception failure) =>
        Failure = failure is BadHttpRequestException ? failure : Failure ?? failure;

    /// <summary>Starts the response, since bytes are about to be written, or flushed.</summary>
    /// <param name="count">The number of bytes that are about to be written.</param>
    public void Start(int count)
    {
        if (HasStarted)
        {
            return;
        }

        if (Failure is not null)
        {
            throw new ObjectDisposedException(
                "The response has been aborted, since its handler, or one of its callbacks, has failed.", Failure);
        }

        CountWritten(count);
        Settle(isCompleted: false);
    }

    /// <summary>Counts bytes of the body that are about to be written.</summary>
    /// <exception cref="InvalidOperationException">There are more than the content-length says.</exception>
    public void CountWritten(int count)
    {
        if (_bytesWritten + count > head.Headers.ContentLength)
        {
            throw CreateLengthMismatch(_bytesWritten + count, head.Headers.ContentLength);
        }

        _bytesWritten += count;
    }

    /// <summary>Notes bytes of the body that are in the writer's memory, maybe before the start.</summary>
    public void NoteAdvance(int count) => _hasAdvanced |= count > 0;

    /// <exception cref="InvalidOperationException">The status is one without content.</exception>
    public void ThrowIfBodyForbidden()
    {
        if (_isBodyForbidden)
        {
            throw new InvalidOperationException(
                $"Nothing can be written to a response with the status {head.StatusCode}, which has no content.");
        }
    }

    /// <summary>Runs the callbacks before the start. Their exception becomes the failure of the response.</summary>
    public ValueTask RunStartingCallbacksAsync()
    {
        return callbacks.HasStarting ? RunAsync() : default;

        async ValueTask RunAsync()
        {
            try
            {
                await callbacks.RunStartingAsync().ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                call.LogFailure(exception);
                SetFailure(exception);
            }
        }
    }

    /// <summary>Ends the response early, since its handler asks for it.</summary>
    public async Task CompleteAsync(Exception? exception)
    {
        if (exception is not null)
        {
            SetFailure(exception);
            if (HasStarted)
            {
                BreakOff();
            }
        }

        if (!HasStarted)
        {
            using var wait = callbacks.BeginWait();
            await RunStartingCallbacksAsync().ConfigureAwait(false);
            body.ThrowIfStopped();
        }

        if (!HasEnded)
        {
            CheckLength();
            if (End() is { } mistake)
            {
                throw mistake;
            }
        }
    }

    /// <summary>Runs the callbacks and checks the length, when the handler has returned.</summary>
    public async ValueTask FinishAsync()
    {
        if (!HasStarted && Failure is null)
        {
            await RunStartingCallbacksAsync().ConfigureAwait(false);
        }

        if (!call.Lifetime.IsAborted)
        {
            CheckLength();
        }
    }

    /// <summary>Sends the rest of the response, and the end. A second call has no effect.</summary>
    /// <returns>The exception if the response could not be sent as it was, and became an error by this call.</returns>
    public InvalidOperationException? End()
    {
        if (HasEnded)
        {
            return null;
        }

        if (Failure is not null)
        {
            if (HasStarted)
            {
                // The response cannot become an error any more.
                HasEnded = true;
                BreakOff();
                return null;
            }

            SetError();
        }

        var mistake = HasStarted ? null : SettleOrFail();
        HasEnded = true;

        // If the call was reset, nothing was sent, and later writes are dropped without an exception.
        IsComplete = !call.Lifetime.IsAborted;
        head.WriteTrailers();
        call.CallStream.Output.End();
        return mistake;
    }

    /// <summary>Resets the call. Nothing more is sent; later writes of the handler are dropped.</summary>
    public void BreakOff()
    {
        call.Lifetime.Abort(RequestFailures.CreateAfterStart());
        call.CallStream.Reset(CallError.Internal);
    }

    /// <summary>Breaks off, and sets the status that logs show for a client that has gone.</summary>
    public void SetAborted()
    {
        BreakOff();
        if (!HasStarted)
        {
            head.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
    }

    /// <summary>Prepares it for the next call.</summary>
    public void Reuse()
    {
        Failure = null;
        _bytesWritten = 0;
        _hasAdvanced = false;
        _isBodyForbidden = false;
        HasStarted = false;
        HasEnded = false;
        IsComplete = false;
    }

    private static InvalidOperationException CreateLengthMismatch(long written, long? length) =>
        new($"The response has {written} bytes, but its content-length is {length}.");

    /// <exception cref="InvalidOperationException">
    /// Fewer bytes have been written than the content-length says.
    /// </exception>
    private void CheckLength()
    {
        if (_bytesWritten < head.Headers.ContentLength && head.StatusCode != StatusCodes.Status304NotModified)
        {
            throw CreateLengthMismatch(_bytesWritten, head.Headers.ContentLength);
        }
    }

    /// <summary>Settles status and headers. They go with the first flush, or with the end.</summary>
    private void Settle(bool isCompleted)
    {
        CheckStart(isCompleted);
        StartWithHeaders();
    }

    /// <summary>Settles status and headers at the end. If they cannot be sent, the response becomes an error.</summary>
    /// <returns>The reason why they cannot be sent.</returns>
    private InvalidOperationException? SettleOrFail()
    {
        try
        {
            Settle(isCompleted: true);
            return null;
        }
        catch (InvalidOperationException exception)
        {
            SetFailure(exception);
            SetError();
            StartWithHeaders();
            return exception;
        }
    }

    private void StartWithHeaders()
    {
        head.WriteHeaders();
        HasStarted = true;
        head.Headers.SetReadOnly();
    }

    private void CheckStart(bool isCompleted)
    {
        var status = head.StatusCode;
        _isBodyForbidden = status is
            StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified;
        if (head.Headers.ContentLength is { } length)
        {
            if (!head.MayHaveLength && length == 0)
            {
                head.Headers.ContentLength = null;
            }
            else if (length != 0 && (!head.MayHaveLength || status == StatusCodes.Status205ResetContent))
            {
                throw new InvalidOperationException(
                    $"A response with the status {status} has no content, "
                    + $"and cannot have a content-length of {length}.");
            }
        }
        else if ((isCompleted || _isBodyForbidden) && !_hasAdvanced
            && head.MayHaveLength && status != StatusCodes.Status304NotModified)
        {
            head.Headers.ContentLength = 0;
        }
    }

    /// <summary>Makes the response an error without a body. Before it has started.</summary>
    private void SetError()
    {
        body.Drop();
        callbacks.ClearStarting();
        head.SetError(
            Failure is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError);
    }
}
