using System.Globalization;
using System.Net;
using GrpcShm.Client.Diagnostics;
using GrpcShm.Client.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Http;

/// <summary>
/// What is said in a call that an <see cref="HttpMessageHandler"/> makes: a request that is sent, and a response that
/// comes. Pooled with its call.
/// </summary>
internal sealed class HttpExchange : ICallExchange
{
    private readonly RequestWriter _request;

    // Written by the thread that receives, and taken by the completion.
    private HttpResponseMessage? _response;
    private ResponseStream? _stream;
    private List<(string Name, string Value)>? _trailers;

    public HttpExchange(ClientCall call)
    {
        Call = call;
        _request = new RequestWriter(this);
    }

    /// <summary>The call.</summary>
    public ClientCall Call { get; }

    /// <summary>Held while what is kept of the content is added to, or let go of.</summary>
    public Lock HoldGate { get; } = new();

    /// <summary>The most that is kept until the content has completed, so that all of it goes in one frame.</summary>
    public int MaxHeld => Call.CallStream.Connection.MaxFrame / 2;

    public string? WriteHeaders(IPendingCall pending, CallTarget target) =>
        _request.WriteHeaders(((PendingRequest)pending).Request, target);

    public void TellBegun(IPendingCall pending, long connection)
    {
        pending.LeaveQueue();
        HttpEvents.Begun(connection);
        _request.IsHeard = HttpEvents.AreHeard;
    }

    public void SendContent(IPendingCall pending) => _request.SendContent(((PendingRequest)pending).Request.Content!);

    /// <summary>Says why the rest of the request is not sent.</summary>
    public Exception CreateWriteException()
    {
        if (!Call.IsOver)
        {
            return new IOException("The connection was lost.");
        }

        // As in HTTP/2: who sends the rest of a request that nobody wants is told that it was cancelled.
        return Call.BrokenBy is { } exception
            ? CallFailures.Reading(exception)
            : new OperationCanceledException(
                "The response has ended, or the call was cancelled: the rest of the request is not wanted.");
    }

    public void ReadHeaders(ref HeaderReader headers, IPendingCall? pending)
    {
        var response = new HttpResponseMessage
        {
            Version = HttpVersion.Version20, RequestMessage = ((PendingRequest?)pending)?.Request,
        };
        var stream = new ResponseStream(this, response);
        var content = new ResponseContent(stream);
        response.Content = content;
        var hasStatus = false;
        while (headers.Read())
        {
            switch (headers.Number)
            {
                case HeaderNames.Status when !hasStatus && TryParseStatus(headers.Value, out var status):
                    response.StatusCode = status;
                    hasStatus = true;
                    break;
                case HeaderNames.Method or HeaderNames.Scheme or HeaderNames.Authority:
                case HeaderNames.Path or HeaderNames.Status:
                    throw new MalformedCallException(
                        CallError.Protocol,
                        $"The server answered with '{headers.Name}: {PeerText.Clean(headers.Value)}', "
                        + "which makes no sense.");
                case HeaderNames.ContentType:
                    content.Headers.TryAddWithoutValidation(headers.Name, headers.Value);
                    break;
                default:
                    // What is none for a response is one for its content, and what neither wants is dropped, as in
                    // HTTP/2.
                    if (!response.Headers.TryAddWithoutValidation(headers.Name, headers.Value))
                    {
                        content.Headers.TryAddWithoutValidation(headers.Name, headers.Value);
                    }

                    break;
            }
        }

        if (!hasStatus)
        {
            throw new MalformedCallException(CallError.Protocol, "The server answered without a status.");
        }

        _stream = stream;
        _response = response;
    }

    public void ReadTrailers(ref HeaderReader trailers, bool isHandedOver)
    {
        // Once the caller has the response, only the reader may change it.
        var response = isHandedOver ? null : _response;
        while (trailers.Read())
        {
            if (response is not null)
            {
                response.TrailingHeaders.TryAddWithoutValidation(trailers.Name, trailers.Value);
            }
            else
            {
                (_trailers ??= []).Add((trailers.Name, trailers.Value));
            }
        }
    }

    public Exception DescribeRefusal(Exception exception) =>
        new HttpIOException(HttpRequestError.InvalidResponse, exception.Message, exception);

    public void HandOver(IPendingCall pending, bool isWhole)
    {
        var response = _response!;
        if (!isWhole)
        {
            _stream!.Guard(Call);
        }

        // A response that its caller drops can only be found out if nothing here holds it.
        _response = null;
        _stream = null;
        ((PendingRequest)pending).TrySetResult(response);
    }

    /// <summary>
    /// Gives the response its trailers, if they came after it. By the reader, at the end of the response.
    /// </summary>
    public void MoveTrailers(HttpResponseMessage response)
    {
        if (_trailers is { } trailers)
        {
            _trailers = null;
            foreach (var (name, value) in trailers)
            {
                response.TrailingHeaders.TryAddWithoutValidation(name, value);
            }
        }
    }

    public void Reuse()
    {
        _request.IsHeard = false;
        _response = null;
        _stream = null;
        _trailers = null;
    }

    /// <summary>Reads a status. An interim one cannot be what a call ends with.</summary>
    private static bool TryParseStatus(string value, out HttpStatusCode status)
    {
        var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        status = (HttpStatusCode)number;
        return isNumber && number is >= 200 and <= 999 && value.Length == 3;
    }
}
