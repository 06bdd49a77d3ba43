using System.Diagnostics;
using System.Diagnostics.Metrics;
using GrpcShm.Client.Http;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Client.Diagnostics;

/// <summary>
/// Reports requests in direct mode as <see cref="SocketsHttpHandler"/> reports the requests that go through it: the
/// same spans, the same metrics, the same trace headers. Costs nothing where nobody listens.
/// </summary>
internal sealed class ClientDiagnostics
{
    public const string SourceName = "System.Net.Http";

    private static readonly Lazy<Meter> ProcessWide = new(static () =>
        ContextUnloading.DisposeWith(typeof(ClientDiagnostics).Assembly, new Meter(SourceName)));

    private static readonly double[] DurationBoundaries =
        [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

    private static readonly double[] ConnectionBoundaries =
        [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

    private readonly UpDownCounter<long> _activeRequests;
    private readonly Histogram<double> _duration;
    private readonly UpDownCounter<long> _openConnections;
    private readonly Histogram<double> _connectionDuration;
    private readonly Histogram<double> _timeInQueue;
    private readonly Uri _endPoint;

    /// <summary>Makes the instruments.</summary>
    /// <param name="meterFactory">Makes the meter; nothing for a meter of the process.</param>
    /// <param name="endPoint">The address that metrics of connections name.</param>
    public ClientDiagnostics(IMeterFactory? meterFactory, Uri endPoint)
    {
        _endPoint = endPoint;
        var meter = meterFactory?.Create(SourceName) ?? ProcessWide.Value;
        _activeRequests = meter.CreateUpDownCounter<long>(
            "http.client.active_requests",
            "{request}",
            "Number of outbound HTTP requests that are currently active on the client.");
        _duration = meter.CreateHistogram(
            "http.client.request.duration",
            "s",
            "Duration of HTTP client requests.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBoundaries });
        _openConnections = meter.CreateUpDownCounter<long>(
            "http.client.open_connections",
            "{connection}",
            "Number of outbound HTTP connections that are currently active or idle on the client.");
        _connectionDuration = meter.CreateHistogram(
            "http.client.connection.duration",
            "s",
            "The duration of successfully established outbound HTTP connections.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = ConnectionBoundaries });
        _timeInQueue = meter.CreateHistogram(
            "http.client.request.time_in_queue",
            "s",
            "The amount of time requests spent on a queue waiting for an available connection.",
            tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBoundaries });
    }

    /// <summary>True if anybody listens to what a request that begins now does.</summary>
    public bool IsEnabled => RequestTracing.IsEnabled || IsHeard;

    /// <summary>
    /// The same without a request that is just part of a span, which the server is told of, and nobody else.
    /// </summary>
    public bool IsHeard =>
        RequestTracing.IsHeard
        || _activeRequests.Enabled
        || _duration.Enabled
        || _timeInQueue.Enabled
        || HttpEvents.AreHeard;

    /// <summary>Makes the gauge of a connection.</summary>
    public ConnectionGauge CreateGauge() => new(_openConnections, _connectionDuration, _endPoint);

    /// <summary>Notes that a request begins to wait for a connection.</summary>
    /// <returns>The time; 0 if nobody listens.</returns>
    public long BeginQueueing() => _timeInQueue.Enabled || HttpEvents.AreHeard ? Stopwatch.GetTimestamp() : 0;

    /// <summary>Reports how long a request has waited that is sent now.</summary>
    public void EndQueueing(HttpRequestMessage request, long since)
    {
        if (since == 0)
        {
            return;
        }

        var duration = Stopwatch.GetElapsedTime(since);
        HttpEvents.WriteLeftQueue(duration);
        if (_timeInQueue.Enabled)
        {
            var tags = RequestTags.CreateForQueue(request);
            _timeInQueue.Record(duration.TotalSeconds, tags);
        }
    }

    /// <summary>Reports a request, from its start to the headers of its response.</summary>
    /// <param name="request">The request, which gets the trace headers.</param>
    /// <param name="send">Sends the request, or throws an <see cref="UnsentRequestException"/>.</param>
    /// <param name="sendOverHttp2">
    /// Sends the request over HTTP/2 instead, where the metrics of such requests are measured. The span that has begun
    /// here goes on.
    /// </param>
    public async Task<HttpResponseMessage> ObserveAsync(
        HttpRequestMessage request, Func<Task<HttpResponseMessage>> send, Func<Task<HttpResponseMessage>> sendOverHttp2)
    {
        var started = Stopwatch.GetTimestamp();
        var tags = RequestTags.CreateCommon(request);
        var isCounted = _activeRequests.Enabled;
        var isMeasured = true;
        if (isCounted)
        {
            _activeRequests.Add(1, tags);
        }

        Activity? activity = null;
        HttpResponseMessage? response = null;
        Exception? failure = null;
        try
        {
            activity = RequestTracing.Start(request);
            try
            {
                response = await send().ConfigureAwait(false);
                if (response.Content is ResponseContent)
                {
                    // A response over HTTP/2 is reported there.
                    HttpEvents.WriteResponded(response.StatusCode);
                }
            }
            catch (UnsentRequestException)
            {
                isMeasured = false;
                Uncount(ref isCounted, tags);
                response = await sendOverHttp2().ConfigureAwait(false);
            }

            return response;
        }
        catch (Exception exception)
        {
            failure = exception;
            throw;
        }
        finally
        {
            var isTold = false;
            try
            {
                // Whichever listener throws, the others are told of the end of the request of whose start they were
                // told.
                try
                {
                    Uncount(ref isCounted, tags);
                }
                finally
                {
                    try
                    {
                        RequestTracing.Stop(activity, request, response, failure);
                    }
                    finally
                    {
                        if (isMeasured && _duration.Enabled)
                        {
                            RequestTags.AddOutcome(ref tags, response, failure);
                            _duration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, tags);
                        }
                    }
                }

                isTold = true;
            }
            finally
            {
                if (!isTold)
                {
                    // A listener has thrown. The caller gets that exception instead of the response.
                    response?.Dispose();
                }
            }
        }
    }

    private void Uncount(ref bool isCounted, in TagList tags)
    {
        if (isCounted)
        {
            isCounted = false;
            _activeRequests.Add(-1, tags);
        }
    }
}
