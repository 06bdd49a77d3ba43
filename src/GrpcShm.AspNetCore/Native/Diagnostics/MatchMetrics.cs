using System.Diagnostics.Metrics;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>Counts the requests that have found their endpoint, in routing's instrument. Any thread.</summary>
internal sealed class MatchMetrics(IMeterFactory meters)
{
    private static readonly object IsNoFallback = false;

    // Routing's instrument, which is made here if routing has not made it yet.
    private readonly Counter<long> _attempts = meters.Create("Microsoft.AspNetCore.Routing").CreateCounter<long>(
        "aspnetcore.routing.match_attempts",
        unit: "{match_attempt}",
        description: "Number of requests that were attempted to be matched to an endpoint.");

    /// <summary>Counts a request, if anybody listens.</summary>
    public void Count(DiagnosedEndpoint endpoint)
    {
        if (_attempts.Enabled)
        {
            _attempts.Add(
                1,
                new("http.route", endpoint.Route ?? "(missing)"),
                new("aspnetcore.routing.match_status", "success"),
                new("aspnetcore.routing.is_fallback", IsNoFallback));
        }
    }
}
