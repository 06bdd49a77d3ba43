namespace GrpcShm.Client.Http2;

/// <summary>
/// Sends all requests over HTTP/2, or over another version of HTTP if the endpoint has it and the request asks for it.
/// </summary>
internal sealed class Http2Handler(Http2Route route) : HttpMessageHandler
{
    /// <summary>The way that all requests go.</summary>
    public Http2Route Route => route;

    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken) => route.SendAsync(request, cancellationToken);

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        route.Send(request, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            route.Dispose();
        }

        base.Dispose(disposing);
    }
}
