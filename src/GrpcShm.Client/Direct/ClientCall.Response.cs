using System.Globalization;
using System.Net;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Client.Direct;

/// <summary>The response. By the thread that receives, where it does not say otherwise.</summary>
internal sealed partial class ClientCall
{
    private HttpResponseMessage? _response;
    private ResponseStream? _stream;
    private List<(string Name, string Value)>? _trailers;
    private Exception? _refusal;
    private bool _hasResponse;

    // Written by the thread that receives, before it settles the outcome, whose compare-and-swap publishes it to the completion. A
    // completion that was faster reads either value: with the old one the stream reads to the end by itself.
    private volatile bool _hasEnded;

    /// <summary>Gives the response its trailers, if they came after it. By the reader, at the end of the response.</summary>
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

    public void OnHeaders(ref HeaderReader headers)
    {
        var response = new HttpResponseMessage { Version = HttpVersion.Version20, RequestMessage = _pending?.Request };
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
                case HeaderNames.Method or HeaderNames.Scheme or HeaderNames.Authority or HeaderNames.Path or HeaderNames.Status:
                    throw new MalformedCallException(
                        CallError.Protocol, $"The server answered with '{headers.Name}: {PeerText.Clean(headers.Value)}', which makes no sense.");
                case HeaderNames.ContentType:
                    content.Headers.TryAddWithoutValidation(headers.Name, headers.Value);
                    break;
                default:
                    // What is none for a response is one for its content, and what neither wants is dropped, as in HTTP/2.
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

        _hasResponse = true;
        _stream = stream;
        _response = response;
    }

    public void OnTrailers(ref HeaderReader trailers)
    {
        // Once the caller has the response, only the reader may change it.
        var response = _outcome == Outcome.None ? _response : null;
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

    public void OnReceived(bool hasEnded)
    {
        if (hasEnded)
        {
            _hasEnded = true;
            _isOver = true;
        }

        if (_hasResponse && _outcome == Outcome.None && TrySettle(Outcome.Response, null))
        {
            _completion.Schedule();
        }
    }

    // One response that is none ends one call: a handler that sets a status of 0 must not end everybody's.
    public void OnRefused(CallError error, Exception exception) =>
        _refusal = new HttpIOException(HttpRequestError.InvalidResponse, exception.Message, exception);

    public void OnFailed(CallError error, Exception exception, bool byPeer)
    {
        if (!_hasEnded)
        {
            // Before a writer is told that it is over: it will ask why.
            _brokenBy = _refusal ?? exception;
            _isOver = true;
            _error = error;
            if (TrySettle(Outcome.Failure, _brokenBy))
            {
                _completion.Schedule();
            }
        }

        CallStream.FailBodies(exception, byPeer);
    }

    /// <summary>Hands the response to the caller, whose it is from then on. By the completion.</summary>
    private HttpResponseMessage TakeResponse()
    {
        var response = _response!;
        if (_hasEnded)
        {
            // All of it is here, and may be dropped unread.
            try
            {
                ReleaseConnection();
            }
            catch
            {
                // The caller gets the exception of a listener instead of the response.
                Drop();
                throw;
            }
        }
        else
        {
            _stream!.Guard(this);
        }

        // A response that its caller drops can only be found out if nothing here holds it.
        _response = null;
        _stream = null;
        return response;
    }

    /// <summary>Reads a status. An interim one cannot be what a call ends with.</summary>
    private static bool TryParseStatus(string value, out HttpStatusCode status)
    {
        var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
        status = (HttpStatusCode)number;
        return isNumber && number is >= 200 and <= 999 && value.Length == 3;
    }

    private void ReuseResponse()
    {
        _response = null;
        _stream = null;
        _trailers = null;
        _refusal = null;
        _hasResponse = false;
        _hasEnded = false;
    }
}
