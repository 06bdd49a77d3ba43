using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// How a response starts and ends. In each order of what a handler may do, right or wrong, handler and client see what
/// they would see of Kestrel over HTTP/2. By the handler.
/// </summary>
internal sealed class ResponseProgress(
    ServerCall call, ResponseHead head, ResponseCallbacks callbacks, ResponseBody body)
{
    private long _bytesWritten;
    private bool _hasAdvanced;
    private bool _isBodyForbidden;

    /// <summary>What the handler has failed with, if it has.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Whether status and headers are settled.</summary>
    public bool HasStarted { get; private set; }

    /// <summary>Whether the end of the response has been sent, or the call has been broken off.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>Whether the response has come to its end in order, so that nothing can be written any more.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>
    /// Makes an error of the response, or ends it by a reset if it has started. The first cause stays, unless a later
    /// one says what is wrong with the request: that has the status that its client should see, as in Kestrel.
    /// </summary>
    public void SetFailure(Exception failure) =>
        Failure = failure is BadHttpRequestException ? failure : Failure ?? failure;

    /// <summary>Starts the response because so many bytes are about to be written, or flushed.</summary>
    public void Start(int count)
    {
        if (HasStarted)
        {
            return;
        }

        if (Failure is not null)
        {
            throw new ObjectDisposedException(
                "The response has been aborted: its handler, or a callback of it, has failed.", Failure);
        }

        CountWritten(count);
        Settle(isCompleted: false);
    }

    /// <summary>Bytes of the body are about to be written.</summary>
    /// <exception cref="InvalidOperationException">They are more than the headers say.</exception>
    public void CountWritten(int count)
    {
        if (_bytesWritten + count > head.Headers.ContentLength)
        {
            throw CreateLengthMismatch(_bytesWritten + count, head.Headers.ContentLength);
        }

        _bytesWritten += count;
    }

    /// <summary>Bytes of the body have been put where the writer has asked for room, also before the start.</summary>
    public void NoteAdvance(int count) => _hasAdvanced |= count > 0;

    /// <exception cref="InvalidOperationException">The status is one without content.</exception>
    public void ThrowIfBodyForbidden()
    {
        if (_isBodyForbidden)
        {
            throw new InvalidOperationException(
                $"A response with the status {head.StatusCode} has no content that could be written.");
        }
    }

    /// <summary>Runs what wants to be run before the start. What it throws becomes the response's failure.</summary>
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

    /// <summary>Ends the response early, as its handler wants it.</summary>
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

    /// <summary>What is left to do for a response when its handler has returned.</summary>
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

    /// <summary>Sends what is still to be sent, and the end. Again has no effect.</summary>
    /// <returns>Why it was made an error just now, since it could not be sent as it was.</returns>
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
                // It cannot be made an error any more.
                HasEnded = true;
                BreakOff();
                return null;
            }

            SetError();
        }

        var mistake = HasStarted ? null : SettleOrFail();
        HasEnded = true;

        // Of a call that was reset nothing was sent, and what is still written goes nowhere.
        IsComplete = !call.Lifetime.IsAborted;
        head.WriteTrailers();
        call.CallStream.Output.End();
        return mistake;
    }

    /// <summary>Resets the call, of which nothing more is sent. What its handler still writes goes nowhere.</summary>
    public void BreakOff()
    {
        call.Lifetime.Abort(RequestFailures.CreateAfterStart());
        call.CallStream.Reset(CallError.Internal);
    }

    /// <summary>Notes for those who log it that nobody has waited for the response.</summary>
    public void SetAborted()
    {
        BreakOff();
        if (!HasStarted)
        {
            head.StatusCode = StatusCodes.Status499ClientClosedRequest;
        }
    }

    /// <summary>Makes it as new.</summary>
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
        new($"The response has {written} bytes, and its content-length is {length}.");

    /// <exception cref="InvalidOperationException">Less has been written than the headers say.</exception>
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

    /// <summary>Settles them at the end, where what cannot be sent becomes an error.</summary>
    /// <returns>Why it cannot.</returns>
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

    /// <summary>Makes the response, which has not started, an error without a body.</summary>
    private void SetError()
    {
        body.Drop();
        callbacks.ClearStarting();
        head.SetError(
            Failure is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError);
    }
}
