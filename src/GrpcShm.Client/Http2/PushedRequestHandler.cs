namespace GrpcShm.Client.Http2;

/// <summary>
/// Sends gRPC's requests over HTTP/2 so that nothing of a request is written, or waits to be, after its body has ended.
/// </summary>
/// <remarks>
/// The messages of a streaming call are not written by the request's content: it hands out the body's stream, and whoever
/// calls <c>WriteAsync</c> writes. Once the response has been read to its end gRPC ends a content that is still open. What
/// <see cref="SocketsHttpHandler"/> makes of that it makes over any transport: it resets the stream and forgets it, but a
/// write that is under way then goes on. Where that one runs out of credit it waits for ever, since nobody gives credit to a
/// stream that is forgotten. Where it does not, the server takes data behind a reset for a breach of HTTP/2 and closes the
/// connection, with all other calls on it. So a body's last write has to have ended before the body may.
/// </remarks>
internal sealed class PushedRequestHandler(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private const string GrpcMediaType = "application/grpc";

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Content is { } content and not PushedContent && content.Headers.ContentType?.MediaType == GrpcMediaType)
        {
            request.Content = new PushedContent(content);
        }

        return base.SendAsync(request, cancellationToken);
    }
}
