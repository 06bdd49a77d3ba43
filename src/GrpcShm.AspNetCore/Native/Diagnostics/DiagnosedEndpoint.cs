using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>What is told of an endpoint with each of its calls, looked up once.</summary>
/// <param name="endpoint">The endpoint of a gRPC method.</param>
internal sealed class DiagnosedEndpoint(Endpoint endpoint)
{
    public Endpoint Endpoint => endpoint;

    /// <summary>The route, as metrics have it; none if the endpoint does not say it.</summary>
    public string? Route { get; } = endpoint.Metadata.GetMetadata<IRouteDiagnosticsMetadata>()?.Route switch
    {
        "" => "/",
        var route => route,
    };

    /// <summary>True if the application wants no metrics of the endpoint (<c>DisableHttpMetrics</c>).</summary>
    public bool IsDurationHidden { get; } = endpoint.Metadata.GetMetadata<IDisableHttpMetricsMetadata>() is not null;
}
