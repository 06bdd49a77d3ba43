using System.Net.Http.Headers;
using System.Text;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Direct;

/// <summary>The request.</summary>
internal sealed partial class ClientCall
{
    private const string GrpcContentType = "application/grpc";

    private CancellationTokenSource? _contentCancellation;
    private bool _isGrpc;
    private bool _canRepeatContent;
    private Exception? _brokenBy;

    /// <summary>Whether nothing more is wanted of the request: the response has ended, or the call was given up.</summary>
    public bool IsOver => _isOver;

    /// <summary>The most that is kept until the content has completed, so that all of it goes in one frame.</summary>
    public int MaxHeld => Connection.MaxFrame / 2;

    /// <summary>Held while what is kept of the content is added to, or let go of.</summary>
    public Lock HoldGate { get; } = new();

    /// <summary>Sends the headers and what has been written so far. By the thread that writes.</summary>
    public void ReleaseRequest() => Release();

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

    private void WriteHeaders(HttpRequestMessage request, CallPath path)
    {
        var pairs = Connection.SentPairs;
        var method = request.Method.Method;
        Headers.Begin();
        Headers.Add(HeaderNames.Method, method, pairs);
        Headers.Add(HeaderNames.Scheme, path.Scheme, pairs);
        Headers.Add(HeaderNames.Path, path.PathAndQuery, pairs);

        // Before all that are no pseudo fields.
        var authority = request.Headers.NonValidated.TryGetValues("Host", out var host) ? host.ToString() : path.Authority;
        Headers.Add(HeaderNames.Authority, authority, pairs);
        Write(request.Headers, isOfContent: false);
        if (request.Content is { } content)
        {
            // Computed and noted among the headers when it is asked for.
            _ = content.Headers.ContentLength;
            Write(content.Headers, isOfContent: true);
        }
        else if (method is not ("GET" or "HEAD" or "OPTIONS" or "DELETE" or "CONNECT" or "TRACE"))
        {
            Headers.Add("content-length", "0", pairs);
        }
    }

    private void Write(HttpHeaders headers, bool isOfContent)
    {
        var pairs = Connection.SentPairs;
        foreach (var (name, values) in headers.NonValidated)
        {
            var value = values.ToString();
            if (isOfContent && name.Equals("Content-Type", StringComparison.OrdinalIgnoreCase))
            {
                _isGrpc = value.StartsWith(GrpcContentType, StringComparison.OrdinalIgnoreCase);
            }

            // What is repeated has been checked before.
            if (Headers.TryRepeat(name, value, pairs))
            {
                continue;
            }

            if (IsOfConnection(name, value))
            {
                continue;
            }

            if (!Ascii.IsValid(value) || value.AsSpan().ContainsAny('\0', '\r', '\n'))
            {
                throw new HttpRequestException(
                    $"The value of the request header '{name}' has a character that is not ASCII, a line break, or a zero.");
            }

            Headers.Add(name, value, pairs);
        }
    }

    /// <summary>What HTTP/2 does not carry either: it belongs to the connection, or is said in another way.</summary>
    private static bool IsOfConnection(string name, string value) => name.Length switch
    {
        2 => name.Equals("TE", StringComparison.OrdinalIgnoreCase) && !value.Equals("trailers", StringComparison.OrdinalIgnoreCase),
        4 => name.Equals("Host", StringComparison.OrdinalIgnoreCase),
        6 => name.Equals("Expect", StringComparison.OrdinalIgnoreCase),
        7 => name.Equals("Upgrade", StringComparison.OrdinalIgnoreCase),
        10 => name.Equals("Connection", StringComparison.OrdinalIgnoreCase) || name.Equals("Keep-Alive", StringComparison.OrdinalIgnoreCase),
        16 => name.Equals("Proxy-Connection", StringComparison.OrdinalIgnoreCase),
        17 => name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase),
        _ => false,
    };

    private void SendContent(HttpContent? content)
    {
        if (content is null)
        {
            EndRequest(canRepeat: true);
            return;
        }

        // gRPC's own contents end when their call does. Others may wait for a source of theirs.
        var cancellation = _isGrpc ? null : new CancellationTokenSource();
        Volatile.Write(ref _contentCancellation, cancellation);
        var stream = new RequestStream(this);
        Task copy;
        try
        {
            copy = content.CopyToAsync(stream, null, cancellation?.Token ?? CancellationToken.None);
        }
        catch (Exception exception)
        {
            FailRequest(stream, exception);
            return;
        }

        if (copy.IsCompletedSuccessfully)
        {
            stream.End();
            EndRequest(canRepeat: _isGrpc || content is ByteArrayContent);
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

        stream.End();
        EndRequest(canRepeat: false);
    }

    private void EndRequest(bool canRepeat)
    {
        Volatile.Write(ref _canRepeatContent, canRepeat);
        EndOutput();
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
            FailInput(CallFailures.Reading(exception));
            Abandon();
        }

        ReleaseUser();
    }

    /// <summary>Tells a content that waits for something that it is of no more use. Its callbacks are foreign code.</summary>
    private void CancelContent()
    {
        if (Volatile.Read(ref _contentCancellation) is { } cancellation)
        {
            _ = cancellation.CancelAsync();
        }
    }

    private void ReuseRequest()
    {
        _contentCancellation = null;
        _isGrpc = false;
        _canRepeatContent = false;
    }
}
