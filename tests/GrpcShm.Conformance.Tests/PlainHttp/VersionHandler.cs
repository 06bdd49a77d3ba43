namespace GrpcShm.Conformance.Tests.PlainHttp;

/// <summary>Sends each request in one version and in no other.</summary>
internal sealed class VersionHandler(HttpMessageHandler inner, Version version) : DelegatingHandler(inner)
{
    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Version = version;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return base.SendAsync(request, cancellationToken);
    }

    // The fixture disposes of the inner handler.
    protected override void Dispose(bool disposing) => base.Dispose(disposing: false);
}
