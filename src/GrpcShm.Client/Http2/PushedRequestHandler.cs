namespace GrpcShm.Client.Http2;

/// <summary>
/// Sends gRPC's requests over HTTP/2 so that nothing of a request is written, or waits to be, after its body has ended,
/// and that one which no server has taken finds another.
/// </summary>
/// <remarks>
/// <para>The messages of a streaming call are not written by the request's content: it hands out the body's stream, and
/// whoever calls <c>WriteAsync</c> writes. Once the response has been read to its end gRPC ends a content that is still
/// open. What <see cref="SocketsHttpHandler"/> makes of that it makes over any transport: it resets the stream and
/// forgets it, but a write that is under way then goes on. Where that one runs out of credit it waits for ever, since
/// nobody gives credit to a stream that is forgotten. Where it does not, the server takes data behind a reset for a
/// breach of HTTP/2 and closes the connection, with all other calls on it. So a body's last write has to have ended
/// before the body may.</para>
/// <para>A server that stops refuses what comes too late, on each of its connections, and
/// <see cref="SocketsHttpHandler"/> sends a refused request to the next connection at hand, which may be one of the
/// same server's. After four it gives up. gRPC has calls that no server has begun sent again unseen (transparent
/// retries, https://github.com/grpc/proposal/blob/master/A6-client-retries.md): this goes on until one is found.</para>
/// </remarks>
internal sealed class PushedRequestHandler : DelegatingHandler
{
    private const string GrpcMediaType = "application/grpc";

    // HTTP/2's error codes (RFC 9113, 7).
    private const long NoError = 0;
    private const long RefusedStream = 7;

    // Each is four attempts of the handler's own, and a connection refuses a request once.
    private const int MostRounds = 32;

    private readonly Lock _gate = new();

    // Whose headers are to be noted. Taken away under the gate with the first request, and read by each without it.
    private volatile SocketsHttpHandler? _unnoted;

    /// <summary>Takes over a handler.</summary>
    public PushedRequestHandler(HttpMessageHandler inner)
        : base(inner) => _unnoted = inner as SocketsHttpHandler;

    /// <summary>The handler is about to write a header of a request.</summary>
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
            if (content.Headers.ContentType?.MediaType != GrpcMediaType)
            {
                return base.SendAsync(request, cancellationToken);
            }

            request.Content = pushed = new PushedContent(content);
        }

        return SendAsync(request, pushed, cancellationToken);
    }

    /// <summary>
    /// Has the handler say what it writes. With its first request, not before: until then whoever has configured it may
    /// set a selector of his own, which is asked as without this.
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
                // Asked for each header of each attempt, and the only thing that is: see IsRefused.
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
            catch (HttpRequestException failure) when (IsRefused(failure, content))
            {
                if (round == MostRounds)
                {
                    // As a server that cannot be reached: so gRPC says Unavailable.
                    throw new HttpRequestException(
                        HttpRequestError.ConnectionError, failure.Message, new IOException("No connection took the request.", failure));
                }
            }

            // A server that is full needs some time, and one that stops, too. Half a second in all.
            await Task.Delay(TimeSpan.FromMilliseconds(round - 1), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether the handler has given up on connections that did not take the request.</summary>
    private static bool IsRefused(HttpRequestException failure, PushedContent content) => failure.InnerException switch
    {
        // It did not get as far as a stream of a connection: that had been told to take no more, or was full. That the
        // handler tries again by itself. What it has tried once can never be sent: headers that are not ASCII, or too
        // large for the server. A content that knows its length may also have written another one.
        null => failure.HttpRequestError == HttpRequestError.Unknown && content.Attempts > 1 && content.Headers.ContentLength is null,

        // Its stream was above the last one that a GOAWAY names, or refused. The same errors also end streams that the
        // server has begun; the handler shows those by their own message, and only what it would send again as a
        // request that was aborted.
        HttpProtocolException { ErrorCode: NoError or RefusedStream } reason => failure.Message != reason.Message,
        _ => false,
    };
}
