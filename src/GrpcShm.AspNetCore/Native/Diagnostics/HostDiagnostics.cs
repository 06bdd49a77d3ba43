using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>
/// By what a host tells of its requests: the same loggers, instruments and spans to which hosting and routing write.
/// One for each host. Any thread.
/// </summary>
internal sealed class HostDiagnostics
{
    /// <param name="loggers">The host's loggers.</param>
    /// <param name="meters">The host's meters.</param>
    /// <param name="spans">The source of hosting's spans, from the services of the host.</param>
    /// <param name="propagator">Reads the parent of a span from the headers, from the services of the host.</param>
    public HostDiagnostics(
        ILoggerFactory loggers, IMeterFactory meters, ActivitySource spans, DistributedContextPropagator propagator)
    {
        Requests = loggers.CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics");
        Endpoints = loggers.CreateLogger(EndpointLog.Name);
        Spans = new RequestSpans(spans, propagator);
        Metrics = new RequestMetrics(meters);
        Matches = new MatchMetrics(meters);
    }

    /// <summary>Hosting's logger of requests.</summary>
    public ILogger Requests { get; }

    /// <summary>The logger of the endpoints that are executed.</summary>
    public ILogger Endpoints { get; }

    public RequestSpans Spans { get; }

    public RequestMetrics Metrics { get; }

    public MatchMetrics Matches { get; }
}
