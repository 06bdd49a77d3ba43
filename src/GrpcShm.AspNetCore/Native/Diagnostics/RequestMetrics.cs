using System.Diagnostics;
using System.Diagnostics.Metrics;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Native.Diagnostics;

/// <summary>Counts and times requests, in hosting's instruments. Any thread.</summary>
internal sealed class RequestMetrics
{
    private const string HttpVersion = "2";

    private static readonly object Ok = StatusCodes.Status200OK;

    private readonly UpDownCounter<long> _active;
    private readonly Histogram<double> _duration;

    public RequestMetrics(IMeterFactory meters)
    {
        // Hosting's instruments, which are made here if hosting has not made them yet: then with its buckets, too.
        var meter = meters.Create("Microsoft.AspNetCore.Hosting");
        _active = meter.CreateUpDownCounter<long>(
            "http.server.active_requests", unit: "{request}", description: "Number of active HTTP server requests.");
        _duration = meter.CreateHistogram<double>(
            "http.server.request.duration",
            unit: "s",
            description: "Duration of HTTP server requests.",
            tags: null,
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
            });
    }

    /// <summary>True if anybody listens.</summary>
    public bool AreHeard => _active.Enabled || _duration.Enabled;

    /// <summary>Counts a request that begins.</summary>
    public void Begin() => _active.Add(1, Describe());

    /// <summary>Counts a request that has ended, and records how long it took.</summary>
    /// <param name="endpoint">The endpoint that has served it.</param>
    /// <param name="statusCode">The HTTP status.</param>
    /// <param name="failure">The exception that the server has seen, if any.</param>
    /// <param name="more">The tags that the application has added, if any.</param>
    /// <param name="duration">How long it took; none if the application wants none of this request.</param>
    public void End(
        DiagnosedEndpoint endpoint,
        int statusCode,
        Exception? failure,
        List<KeyValuePair<string, object?>>? more,
        TimeSpan? duration)
    {
        var tags = Describe();
        if (_active.Enabled)
        {
            _active.Add(-1, tags);
        }

        if (duration is not { } time || endpoint.IsDurationHidden || !_duration.Enabled)
        {
            return;
        }

        tags.Add("network.protocol.version", HttpVersion);
        tags.Add("http.response.status_code", statusCode == StatusCodes.Status200OK ? Ok : statusCode);
        if (endpoint.Route is { } route)
        {
            tags.Add("http.route", route);
        }

        foreach (var tag in more ?? [])
        {
            tags.Add(tag);
        }

        // The application may have said better what went wrong.
        if (failure is not null && !tags.Any(static tag => tag.Key == "error.type"))
        {
            tags.Add("error.type", failure.GetType().FullName);
        }

        _duration.Record(time.TotalSeconds, tags);
    }

    private static TagList Describe() =>
        new() { { "url.scheme", GrpcRequestRules.Scheme }, { "http.request.method", GrpcRequestRules.Method } };
}
