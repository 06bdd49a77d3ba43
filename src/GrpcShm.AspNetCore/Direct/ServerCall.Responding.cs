using System.Globalization;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// How a response starts and ends. In each order of what a handler may do, right or wrong, handler and client see what they
/// would see of Kestrel over HTTP/2.
/// </summary>
internal abstract partial class ServerCall
{
    private Exception? _failure;
    private long _bytesWritten;
    private bool _hasAdvanced;
    private bool _isBodyForbidden;
    private bool _hasStarted;
    private bool _hasEnded;
    private bool _isComplete;

    /// <summary>What the handler has failed with, if it has.</summary>
    protected Exception? Failure => _failure;

    private bool HasStartingCallbacks => _starting is { Count: > 0 };

    // An interim status, and no content, have no length.
    private bool MayHaveLength => _statusCode is (< StatusCodes.Status100Continue or >= StatusCodes.Status200OK) and not StatusCodes.Status204NoContent;

    /// <summary>
    /// Makes an error of the response, or ends it by a reset if it has started. The first cause stays, unless a later one says what is
    /// wrong with the request: that has the status that its client should see, as in Kestrel.
    /// </summary>
    protected void SetFailure(Exception failure) => _failure = failure is BadHttpRequestException ? failure : _failure ?? failure;

    /// <summary>What is left to do for a response when its handler has returned.</summary>
    protected async ValueTask FinishAsync()
    {
        if (!_hasStarted && _failure is null)
        {
            await RunStartingCallbacksAsync().ConfigureAwait(false);
        }

        if (!IsRequestAborted)
        {
            CheckLength();
        }
    }

    /// <summary>Sends what is still to be sent, and the end. Again has no effect.</summary>
    /// <returns>Why it was made an error just now, since it could not be sent as it was.</returns>
    protected InvalidOperationException? EndResponse()
    {
        if (_hasEnded)
        {
            return null;
        }

        if (_failure is not null)
        {
            if (_hasStarted)
            {
                // It cannot be made an error any more.
                _hasEnded = true;
                BreakOff();
                return null;
            }

            SetError();
        }

        var mistake = _hasStarted ? null : SettleOrFail();
        _hasEnded = true;

        // Of a call that was reset nothing was sent, and what is still written goes nowhere.
        _isComplete = !IsRequestAborted;
        if (_responseTrailers is { Count: > 0 } trailers)
        {
            CallStream.Trailers.Begin();
            Write(CallStream.Trailers, trailers);
        }

        _responseTrailers?.SetReadOnly();
        CallStream.EndOutput();
        return mistake;
    }

    /// <summary>Resets the call, of which nothing more is sent. What its handler still writes goes nowhere.</summary>
    protected void BreakOff()
    {
        AbortRequest(RequestFailures.AfterStart());
        CallStream.Reset(CallError.Internal);
    }

    /// <summary>Notes for those who log it that nobody has waited for the response.</summary>
    protected void SetAborted()
    {
        BreakOff();
        if (!_hasStarted)
        {
            _statusCode = StatusCodes.Status499ClientClosedRequest;
        }
    }

    /// <summary>The handler has ended. What it has kept of the bodies is of no use from here on, as in Kestrel.</summary>
    protected void StopBodies()
    {
        _responseBody.Stop();
        _responseStream?.Stop();
        _requestStream?.Stop();
    }

    protected async ValueTask RunCompletedCallbacksAsync()
    {
        while (_completed is { Count: > 0 })
        {
            var (callback, state) = _completed.Pop();
            try
            {
                await callback(state).ConfigureAwait(false);
            }
            catch (Exception exception)
            {
                Log.ApplicationFailed(Connection.Application.Logger, Connection.ConnectionId, TraceIdentifier, exception);
            }
        }
    }

    private static InvalidOperationException LengthMismatch(long written, long? length) =>
        new($"The response has {written} bytes, and its content-length is {length}.");

    /// <summary>Ends the response early, as its handler wants it.</summary>
    private async Task CompleteResponseAsync(Exception? exception)
    {
        if (exception is not null)
        {
            SetFailure(exception);
            if (_hasStarted)
            {
                BreakOff();
            }
        }

        if (!_hasStarted)
        {
            using var wait = new StartingWait(this);
            await RunStartingCallbacksAsync().ConfigureAwait(false);
            _responseBody.ThrowIfStopped();
        }

        if (!_hasEnded)
        {
            CheckLength();
            if (EndResponse() is { } mistake)
            {
                throw mistake;
            }
        }
    }

    /// <summary>Runs what wants to be run before the start. What it throws becomes the response's failure.</summary>
    private ValueTask RunStartingCallbacksAsync()
    {
        return HasStartingCallbacks ? RunAsync() : default;

        async ValueTask RunAsync()
        {
            try
            {
                while (_starting!.TryPop(out var next))
                {
                    await next.Callback(next.State).ConfigureAwait(false);
                }
            }
            catch (Exception exception)
            {
                Log.ApplicationFailed(Connection.Application.Logger, Connection.ConnectionId, TraceIdentifier, exception);
                SetFailure(exception);
            }
        }
    }

    /// <summary>Starts the response because so many bytes are about to be written, or flushed.</summary>
    private void Start(int count)
    {
        if (_hasStarted)
        {
            return;
        }

        if (_failure is not null)
        {
            throw new ObjectDisposedException("The response has been aborted: its handler, or a callback of it, has failed.", _failure);
        }

        CountWritten(count);
        Settle(isCompleted: false);
    }

    private void CountWritten(int count)
    {
        if (_bytesWritten + count > _responseHeaders.ContentLength)
        {
            throw LengthMismatch(_bytesWritten + count, _responseHeaders.ContentLength);
        }

        _bytesWritten += count;
    }

    /// <exception cref="InvalidOperationException">Less has been written than the headers say.</exception>
    private void CheckLength()
    {
        if (_bytesWritten < _responseHeaders.ContentLength && _statusCode != StatusCodes.Status304NotModified)
        {
            throw LengthMismatch(_bytesWritten, _responseHeaders.ContentLength);
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
        WriteHeaders();
        _hasStarted = true;
        _responseHeaders.SetReadOnly();
    }

    private void CheckStart(bool isCompleted)
    {
        _isBodyForbidden = _statusCode is StatusCodes.Status204NoContent or StatusCodes.Status205ResetContent or StatusCodes.Status304NotModified;
        if (_responseHeaders.ContentLength is { } length)
        {
            if (!MayHaveLength && length == 0)
            {
                _responseHeaders.ContentLength = null;
            }
            else if (length != 0 && (!MayHaveLength || _statusCode == StatusCodes.Status205ResetContent))
            {
                throw new InvalidOperationException($"A response with the status {_statusCode} has no content, and cannot have a content-length of {length}.");
            }
        }
        else if ((isCompleted || _isBodyForbidden) && !_hasAdvanced && MayHaveLength && _statusCode != StatusCodes.Status304NotModified)
        {
            _responseHeaders.ContentLength = 0;
        }
    }

    private void WriteHeaders()
    {
        CallStream.Headers.Begin();
        try
        {
            CallStream.Headers.Add(
                Transport.Calls.HeaderNames.Status,
                _statusCode == StatusCodes.Status200OK ? "200" : _statusCode.ToString(CultureInfo.InvariantCulture),
                CallStream.Connection.SentPairs);
            Write(CallStream.Headers, _responseHeaders);
        }
        catch
        {
            // What does not fit must not go in part.
            CallStream.Headers.Clear();
            throw;
        }
    }

    /// <summary>Makes the response, which has not started, an error without a body.</summary>
    private void SetError()
    {
        _responseBody.Drop();
        _responseHeaders.Reset();
        _responseTrailers?.Reset();
        _starting?.Clear();
        _statusCode = _failure is BadHttpRequestException bad ? bad.StatusCode : StatusCodes.Status500InternalServerError;
        _reasonPhrase = null;
        _responseHeaders.ContentLength = 0;
    }

    private void Write(HeaderBlock block, ResponseHeaders headers)
    {
        var pairs = CallStream.Connection.SentPairs;
        foreach (var (name, values) in headers)
        {
            // What was sent before has been looked at before.
            if (values.Count == 1 && values[0] is { } only && block.TryRepeat(name, only, pairs))
            {
                continue;
            }

            if (!headers.AreTrailers && IsOfConnection(name))
            {
                continue;
            }

            for (var i = 0; i < values.Count; i++)
            {
                block.Add(name, values[i] ?? "", pairs);
            }
        }
    }

    /// <summary>What belongs to a connection is not for a call, as in HTTP/2.</summary>
    private static bool IsOfConnection(string name) => name.Length switch
    {
        7 => name.Equals("Upgrade", StringComparison.OrdinalIgnoreCase),
        10 => name.Equals("Connection", StringComparison.OrdinalIgnoreCase) || name.Equals("Keep-Alive", StringComparison.OrdinalIgnoreCase),
        16 => name.Equals("Proxy-Connection", StringComparison.OrdinalIgnoreCase),
        17 => name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    private void ReuseResponding()
    {
        _failure = null;
        _bytesWritten = 0;
        _hasAdvanced = false;
        _isBodyForbidden = false;
        _hasStarted = false;
        _hasEnded = false;
        _isComplete = false;
        _responseBody.Reuse();
    }
}
