using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>
/// The instruments of a client, or of the hub's own process, that sends and handles events. They follow OpenTelemetry's
/// conventions for messaging.
/// </summary>
internal sealed class MessagingMetrics : IDisposable
{
    /// <summary>The meter of hub and clients, whose instruments have different names.</summary>
    public const string MeterName = "GrpcShm.EventBus";

    // In seconds: first bounds that fit events within one computer, then the bounds of the conventions for durations.
    public static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries =
        [
            0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
            0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
        ],
    };

    public static readonly KeyValuePair<string, object?> System = new("messaging.system", EventTracing.System);

    private readonly Meter _meter;
    private readonly bool _ownsMeter;
    private readonly bool _namesDestinations;
    private readonly Counter<long> _sent;
    private readonly Counter<long> _consumed;
    private readonly Histogram<double> _sendDuration;
    private readonly Histogram<double> _processDuration;
    private readonly Counter<long> _laneEvents;

    public MessagingMetrics(IMeterFactory? meterFactory, bool namesDestinations)
    {
        _ownsMeter = meterFactory is null;
        _namesDestinations = namesDestinations;
        _meter = meterFactory?.Create(MeterName) ?? new Meter(MeterName);
        _sent = _meter.CreateCounter<long>(
            "messaging.client.sent.messages", "{message}", "Events that this process attempted to send.");
        _consumed = _meter.CreateCounter<long>(
            "messaging.client.consumed.messages", "{message}", "Events that were handed to this process's handlers.");
        _sendDuration = _meter.CreateHistogram(
            "messaging.client.operation.duration",
            "s",
            "How long sends took until they were answered.",
            tags: null,
            Seconds);
        _processDuration = _meter.CreateHistogram(
            "messaging.process.duration", "s", "How long handlers took.", tags: null, Seconds);
        _laneEvents = _meter.CreateCounter<long>(
            "grpcshm.eventbus.lane.messages", "{message}", "Events that went to another process past the hub.");
    }

    public bool MeasuresDuration => _sendDuration.Enabled;

    public bool MeasuresProcessing => _processDuration.Enabled;

    /// <summary>Adds the target. Some metrics systems cannot take that: there may be very many targets.</summary>
    public static void AddDestination(ref TagList tags, string destination)
    {
        if (destination.Length > 0)
        {
            tags.Add("messaging.destination.name", destination);
        }
    }

    public void CountSend(in MessagingOperation operation, StatusCode failure)
    {
        if (_sent.Enabled)
        {
            _sent.Add(1, Tags(operation, failure));
        }
    }

    public void RecordSendDuration(long started, in MessagingOperation operation, StatusCode failure)
    {
        if (started != 0)
        {
            _sendDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, Tags(operation, failure));
        }
    }

    public void RecordHandling(long started, string target, bool failed)
    {
        var operation = MessagingOperation.Process(target);
        var failure = failed ? StatusCode.Unknown : StatusCode.OK;
        if (_consumed.Enabled)
        {
            _consumed.Add(1, Tags(operation, failure));
        }

        if (started != 0)
        {
            _processDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, Tags(operation, failure));
        }
    }

    /// <summary>Counts events that another process took over a lane.</summary>
    public void CountLaneEvents(int count) => _laneEvents.Add(count);

    public void Dispose()
    {
        if (_ownsMeter)
        {
            _meter.Dispose();
        }
    }

    private TagList Tags(in MessagingOperation operation, StatusCode failure)
    {
        var tags = new TagList { System };
        tags.Add("messaging.operation.name", operation.Name);
        tags.Add("messaging.operation.type", operation.Type);
        if (_namesDestinations)
        {
            AddDestination(ref tags, operation.Destination);
        }

        if (failure != StatusCode.OK)
        {
            tags.Add("error.type", failure.ToString());
        }

        return tags;
    }
}
