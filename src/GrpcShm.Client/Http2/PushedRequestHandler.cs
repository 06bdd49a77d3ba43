using GrpcShm.Client.Http;

namespace GrpcShm.Client.Http2;

/// <summary>
/// Sends gRPC's requests over HTTP/2 and adds two things: no write of a request goes on after its body has ended, and a
/// request that no server has taken is sent to another connection.
/// </summary>
/// <remarks>
/// <para>The messages of a streaming call are not written by the request's content: it hands out the body's stream, and
/// whoever calls <c>WriteAsync</c> writes. When the response has been read to its end, gRPC ends a content that is
/// still open. Then <see cref="SocketsHttpHandler"/>, over any transport, resets the stream and forgets it, but a write
/// that is under way goes on. If this write runs out of credit, it waits for ever, since nobody gives credit to a
/// forgotten stream. If it does not, the server takes data behind a reset for a breach of HTTP/2 and closes the
/// connection, with all other calls on it. So the last write of a body has to end before the body does.</para>
/// <para>A server that stops refuses requests that come too late, on each of its connections.
/// <see cref="SocketsHttpHandler"/> sends a refused request to the next connection, which may lead to the same server.
/// After four attempts it gives up. gRPC says that a call which no server has begun is sent again without the caller's
/// notice (transparent retries, https://github.com/grpc/proposal/blob/master/A6-client-retries.md): so this handler
/// goes on until a server takes the request.</para>
/// </remarks>
internal sealed class PushedRequestHandler : DelegatingHandler
{
    // HTTP/2's error codes (RFC 9113, 7).
    private const long NoError = 0;
    private const long RefusedStream = 7;

    // In each round the handler makes four attempts, and a connection refuses a request once.
    private const int MostRounds = 32;

    private readonly Lock _gate = new();

    // The handler that does not tell yet which headers it writes. Cleared under the gate by the first request, and read
    // by each request without the gate.
    private volatile SocketsHttpHandler? _unnoted;

    /// <summary>Takes over a handler.</summary>
    public PushedRequestHandler(HttpMessageHandler inner)
        : base(inner) => _unnoted = inner as SocketsHttpHandler;

    /// <summary>Notes that the handler is about to write a header of a request.</summary>
    internal static void NoteHeader(HttpRequestMessage request, string name) =>
        (request.Content as PushedContent)?.NoteHeader(name);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        NoteHeaders();
        return base.Send(request, cancellationToken);
    }

    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        NoteHeaders();
        if (request.Content is not { } content)
        {
            return base.SendAsync(request, cancellationToken);
        }

        if (content is not PushedContent pushed)
        {
            if (!GrpcRequests.IsOfCall(content))
            {
                return base.SendAsync(request, cancellationToken);
            }

            request.Content = pushed = new PushedContent(content);
        }

        return SendAsync(request, pushed, cancellationToken);
    }

    /// <summary>
    /// Makes the handler tell which headers it writes. Done with the first request and not before: until then the
    /// application may set a selector of its own, which is asked as without this.
    /// </summary>
    private void NoteHeaders()
    {
        if (_unnoted is null)
        {
            return;
        }

        lock (_gate)
        {
            if (_unnoted is { } handler)
            {
                // The handler asks the selector for each header of each attempt. Nothing else tells how many attempts
                // there were, which IsRefused has to know.
                var selector = handler.RequestHeaderEncodingSelector;
                handler.RequestHeaderEncodingSelector = (name, request) =>
                {
                    NoteHeader(request, name);
                    return selector?.Invoke(name, request);
                };
                _unnoted = null;
            }
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, PushedContent content, CancellationToken cancellationToken)
    {
        for (var round = 1; ; round++)
        {
            content.BeginRound();
            try
            {
                return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpRequestException failure) when (failure is
                {
                    HttpRequestError: HttpRequestError.ConnectionError, InnerException: IOException cause,
                })
            {
                // The handler's message repeats that of the cause.
                throw CallFailures.CreateConnecting(request, cause);
            }
            catch (HttpRequestException failure) when (IsRefused(failure, content))
            {
                if (round == MostRounds)
                {
                    // As for a server that cannot be reached: so gRPC reports Unavailable.
                    throw new HttpRequestException(
                        HttpRequestError.ConnectionError,
                        failure.Message,
                        new IOException(
                            "The server refused the request on every connection. It may be stopping.", failure));
                }
            }

            // A server that is full needs some time, and so does one that stops. Half a second in all.
            await Task.Delay(TimeSpan.FromMilliseconds(round - 1), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>True if the handler has given up because no connection took the request.</summary>
    private static bool IsRefused(HttpRequestException failure, PushedContent content) => failure.InnerException switch
    {
        // The request got no stream on a connection: the connection takes no more requests, or is full. The handler
        // tries again by itself after that. If it has tried once alone, the request can never be sent: its headers are
        // not ASCII, or too large for the server. A content with a length may also have written another number of
        // bytes.
        null => failure.HttpRequestError == HttpRequestError.Unknown
            && content.Attempts > 1
            && content.Headers.ContentLength is null,

        // The stream of the request was refused, or has a higher number than the last one that a GOAWAY names. The same
        // errors also end streams that the server has begun: for those the handler takes the message of the error. For
        // a request that it would send again it has a message of its own.
        HttpProtocolException { ErrorCode: NoError or RefusedStream } reason => failure.Message != reason.Message,
        _ => false,
    };
}
