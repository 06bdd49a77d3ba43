using System.Net.Http.Headers;
using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Direct;

/// <summary>The request.</summary>
internal sealed partial class ClientCall
{
    // Whether somebody listens to the steps of the request. By those who send it, one after the other.
    private bool _isHeard;

    // Written by the thread that sends the content, before the frame that ends it; read by the completion, which is scheduled after the
    // call has failed. Seen too late, the request is just not sent again. Cleared with the last of the three users gone.
    private bool _canRepeatContent;
    private Exception? _brokenBy;

    /// <summary>Whether nothing more is wanted of the request: the response has ended, or the call was given up.</summary>
    public bool IsOver => _isOver;

    /// <summary>The most that is kept until the content has completed, so that all of it goes in one frame.</summary>
    public int MaxHeld => CallStream.Connection.MaxFrame / 2;

    /// <summary>Held while what is kept of the content is added to, or let go of.</summary>
    public Lock HoldGate { get; } = new();

    /// <summary>Sends the headers and what has been written so far. By the thread that writes.</summary>
    public void ReleaseRequest() => CallStream.Release();

    /// <summary>Says why the rest of the request is not sent.</summary>
    public Exception CreateWriteException()
    {
        if (!_isOver)
        {
            return new IOException("The connection was lost.");
        }

        // As in HTTP/2: who sends the rest of a request that nobody wants is told that it was cancelled.
        return _brokenBy is { } exception
            ? CallFailures.Reading(exception)
            : new OperationCanceledException("The response has ended, or the call was cancelled: the rest of the request is not wanted.");
    }

    /// <returns>Why direct mode does not carry the request, if so.</returns>
    private string? WriteHeaders(HttpRequestMessage request, CallPath path)
    {
        var pairs = CallStream.Connection.SentPairs;
        var content = request.Content!;
        var fields = new RequestFields();
        CallStream.Headers.Begin();
        CallStream.Headers.Add(HeaderNames.Method, "POST", pairs);
        CallStream.Headers.Add(HeaderNames.Scheme, path.Scheme, pairs);
        CallStream.Headers.Add(HeaderNames.Path, path.PathAndQuery, pairs);

        // Before all that are no pseudo fields.
        var authority = request.Headers.NonValidated.TryGetValues("Host", out var host) ? host.ToString() : path.Authority;
        CallStream.Headers.Add(HeaderNames.Authority, authority, pairs);
        if (Write(request.Headers, ref fields) is { } reason)
        {
            return reason;
        }

        // Computed and noted among the headers when it is asked for.
        _ = content.Headers.ContentLength;
        return Write(content.Headers, ref fields) ?? fields.WhyIncomplete;
    }

    private string? Write(HttpHeaders headers, ref RequestFields fields)
    {
        var pairs = CallStream.Connection.SentPairs;
        foreach (var (name, values) in headers.NonValidated)
        {
            var value = values.ToString();
            if (CallStream.Headers.TryRepeat(name, value, pairs))
            {
                fields.TakeKnown(name);
                continue;
            }

            var host = fields.Host;
            if (fields.Take(name, value) is { } reason)
            {
                return reason;
            }

            if (ReferenceEquals(fields.Host, host))
            {
                CallStream.Headers.Add(name, value, pairs);
            }
        }

        return null;
    }

    private void SendContent(HttpContent content)
    {
        var stream = new RequestStream(this);
        Task copy;
        try
        {
            // Without a token: gRPC's contents end when their call does, and to make one costs each call.
            copy = content.CopyToAsync(stream);
        }
        catch (Exception exception)
        {
            FailRequest(stream, exception);
            return;
        }

        if (copy.IsCompletedSuccessfully)
        {
            EndRequest(stream, canRepeat: true);
        }
        else
        {
            _isReusable = false;
            if (!copy.IsCompleted)
            {
                stream.LetGo();
            }

            _ = SendRestAsync(copy, stream);
        }
    }

    private async Task SendRestAsync(Task copy, RequestStream stream)
    {
        try
        {
            await copy.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            FailRequest(stream, exception);
            return;
        }

        EndRequest(stream, canRepeat: false);
    }

    private void EndRequest(RequestStream stream, bool canRepeat)
    {
        stream.End();
        if (_isHeard)
        {
            // Before the end is sent, and with it perhaps all that the response waits for.
            HttpEvents.ContentWritten(stream.WrittenBytes);
        }

        Volatile.Write(ref _canRepeatContent, canRepeat);
        CallStream.EndOutput();
        ReleaseUser();
    }

    /// <summary>The content has failed: by itself, or because nobody wants it any more.</summary>
    private void FailRequest(RequestStream stream, Exception exception)
    {
        stream.End();
        _isReusable = false;
        if (!_isOver && !GiveUp(Outcome.Failure, exception))
        {
            // The caller has the response, and reads it.
            CallStream.FailInput(CallFailures.Reading(exception));
            Abandon();
        }

        ReleaseUser();
    }

    private void ReuseRequest()
    {
        _isHeard = false;
        _canRepeatContent = false;
    }
}
