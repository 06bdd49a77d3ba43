using System.Net;
using GrpcShm.Client.Diagnostics;
using GrpcShm.Client.Direct;
using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Http;

/// <summary>
/// Writes the request and reads the response of a call that an <see cref="HttpMessageHandler"/> makes. Pooled with its
/// call.
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

    /// <summary>Held while kept content is added to, or sent.</summary>
    public Lock HoldGate { get; } = new();

    /// <summary>
    /// The most bytes of content that are kept until the content has completed, so that all of it goes in one frame.
    /// </summary>
    public int MaxHeld => Call.CallStream.Connection.MaxFrame / 2;

    public string? WriteHeaders(IPendingCall pending, CallTarget target) =>
        _request.WriteHeaders(((PendingRequest)pending).Request, target);

    public void TellBegun(IPendingCall pending, long connection)
    {
        pending.LeaveQueue();
        HttpEvents.WriteBegun(connection);
        _request.IsHeard = HttpEvents.AreHeard;
    }

    public void SendContent(IPendingCall pending) => _request.SendContent(((PendingRequest)pending).Request.Content!);

    /// <summary>Makes the exception for a writer of the request, the rest of which is not sent.</summary>
    public Exception CreateWriteException()
    {
        if (!Call.IsOver)
        {
            return new IOException("The connection was lost.");
        }

        // As in HTTP/2: the writer of a request the rest of which nobody wants is told that it was cancelled.
        return Call.BrokenBy is { } exception
            ? CallFailures.CreateReading(exception)
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
                case HeaderNames.Status
                    when !hasStatus && ResponseFields.TryParseStatus(headers.Value, out var status):
                    response.StatusCode = (HttpStatusCode)status;
                    hasStatus = true;
                    break;
                case HeaderNames.Method or HeaderNames.Scheme or HeaderNames.Authority:
                case HeaderNames.Path or HeaderNames.Status:
                    throw ResponseFields.Refuse(headers.Name, headers.Value);
                case HeaderNames.ContentType:
                    content.Headers.TryAddWithoutValidation(headers.Name, headers.Value);
                    break;
                default:
                    // A header that does not belong to a response belongs to its content. A header that neither takes
                    // is dropped, as in HTTP/2.
                    if (!response.Headers.TryAddWithoutValidation(headers.Name, headers.Value))
                    {
                        content.Headers.TryAddWithoutValidation(headers.Name, headers.Value);
                    }

                    break;
            }
        }

        if (!hasStatus)
        {
            throw ResponseFields.RefuseWithoutStatus();
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

    public Exception DescribeRefusal(Exception exception) => CallFailures.CreateRefusal(exception);

    public void HandOver(IPendingCall pending, bool isWhole)
    {
        var response = _response!;
        if (!isWhole)
        {
            _stream!.Guard(Call);
        }

        // That a caller drops its response can only be noticed if nothing here holds the response.
        _response = null;
        _stream = null;
        ((PendingRequest)pending).TrySetResult(response);
    }

    /// <summary>
    /// Adds the trailers that came after the response was handed over. By the reader, at the end of the response.
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
}
