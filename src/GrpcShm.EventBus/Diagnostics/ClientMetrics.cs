using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>A client's instruments, by OpenTelemetry's conventions for messaging.</summary>
internal sealed class ClientMetrics : IDisposable
{
    // The bounds that the conventions give for durations in seconds; the first one fits events within a machine, too.
    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private static readonly KeyValuePair<string, object?> System = new("messaging.system", EventTracing.System);
    private static readonly KeyValuePair<string, object?> SendOperation = new("messaging.operation.name", "send");
    private static readonly KeyValuePair<string, object?> ProcessOperation = new("messaging.operation.name", "process");

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _consumed;
    private readonly Histogram<double> _sendDuration;
    private readonly Histogram<double> _processDuration;

    public ClientMetrics(IMeterFactory? meterFactory)
    {
        _ownsMeter = meterFactory is null;
        _meter = meterFactory?.Create(EventBusMetrics.MeterName) ?? new Meter(EventBusMetrics.MeterName);
        _sent = _meter.CreateCounter<long>(
            "messaging.client.sent.messages", "{message}", "Events that this client attempted to send.");
        _consumed = _meter.CreateCounter<long>(
            "messaging.client.consumed.messages", "{message}", "Events that were handed to this client's handlers.");
        _sendDuration = _meter.CreateHistogram(
            "messaging.client.operation.duration", "s", "How long sends took until they were answered.", tags: null, Seconds);
        _processDuration = _meter.CreateHistogram(
            "messaging.process.duration", "s", "How long handlers took.", tags: null, Seconds);
    }

    public bool MeasuresDuration => _sendDuration.Enabled;

    public bool MeasuresProcessing => _processDuration.Enabled;

    public void Sent(EventBusException? failure)
    {
        if (_sent.Enabled)
        {
            var tags = new TagList { System, SendOperation };
            AddError(ref tags, failure?.StatusCode);
            _sent.Add(1, tags);
        }
    }

    public void SendTook(long started, EventBusException? failure)
    {
        if (started != 0)
        {
            var tags = new TagList { System, SendOperation };
            AddError(ref tags, failure?.StatusCode);
            _sendDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, tags);
        }
    }

    public void Processed(long started, bool failed)
    {
        if (_consumed.Enabled)
        {
            var tags = new TagList { System, ProcessOperation };
            AddError(ref tags, failed ? StatusCode.Unknown : null);
            _consumed.Add(1, tags);
        }

        if (started != 0)
        {
            var tags = new TagList { System, ProcessOperation };
            AddError(ref tags, failed ? StatusCode.Unknown : null);
            _processDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, tags);
        }
    }

    public void Dispose()
    {
        if (_ownsMeter)
        {
            _meter.Dispose();
        }
    }

    private static void AddError(ref TagList tags, StatusCode? code)
    {
        if (code is not null)
        {
            tags.Add("error.type", code.Value.ToString());
        }
    }
}
