using System.Diagnostics;
using System.Diagnostics.Metrics;
using Grpc.Core;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Registry;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>
/// The hub's own instruments, in the meter <c>GrpcShm.EventBus</c>. OpenTelemetry's conventions have no names for the
/// inside of a broker, so these names are the hub's own. Attributes follow the conventions where they have one.
/// </summary>
/// <remarks>The counts are plain fields that the instruments observe: counting an event costs one atomic add.</remarks>
internal sealed class EventBusMetrics
{
    // gRPC's status codes.
    private const int Codes = 17;

    private readonly long[] _refused = new long[Codes];
    private readonly Histogram<double> _waiting;
    private readonly bool _namesDestinations;
    private readonly ILogger _logger;
    private readonly RepeatedLines _failedListeners = new(most: 1);
    private long _accepted;
    private long _delivered;
    private long _dropped;
    private int _sessions;
    private int _subscriptions;

    public EventBusMetrics(
        IMeterFactory meterFactory,
        MachineRegistry machines,
        HubLanes lanes,
        bool namesDestinations,
        ILogger logger)
    {
        _logger = logger;
        _namesDestinations = namesDestinations;
        var meter = meterFactory.Create(MessagingMetrics.MeterName);
        meter.CreateObservableCounter(
            "grpcshm.eventbus.accepted.messages",
            () => Measure(EventsAccepted),
            "{message}",
            "Events that the hub accepted.");
        meter.CreateObservableCounter(
            "grpcshm.eventbus.refused.messages", MeasureRefused, "{message}", "Events that the hub refused.");
        meter.CreateObservableCounter(
            "grpcshm.eventbus.delivered.messages",
            () => Measure(Volatile.Read(ref _delivered)),
            "{message}",
            "Events that were written to subscribers.");
        meter.CreateObservableCounter(
            "grpcshm.eventbus.dropped.messages",
            () => Measure(EventsDropped),
            "{message}",
            "Events that full mailboxes dropped.");
        _waiting = meter.CreateHistogram(
            "grpcshm.eventbus.waiting.duration",
            "s",
            "How long events waited in a mailbox until they were taken out for the subscriber.",
            tags: null,
            MessagingMetrics.Seconds);
        meter.CreateObservableUpDownCounter(
            "grpcshm.eventbus.sessions", () => Measure(Sessions), "{session}", "Open sessions.");
        meter.CreateObservableUpDownCounter(
            "grpcshm.eventbus.subscriptions",
            () => Measure(Subscriptions),
            "{subscription}",
            "Subscriptions that stand.");
        meter.CreateObservableUpDownCounter(
            "grpcshm.eventbus.machines", () => Measure(machines.Count), "{machine}", "Registered machines.");
        meter.CreateObservableUpDownCounter(
            "grpcshm.eventbus.lanes", () => Measure(lanes.Lanes), "{lane}", "Connections between clients.");
        meter.CreateObservableUpDownCounter(
            "grpcshm.eventbus.routes",
            () => Measure(lanes.Routes),
            "{route}",
            "Pairs of machines whose events go past the hub.");
    }

    public long EventsAccepted => Volatile.Read(ref _accepted);

    public long EventsDropped => Volatile.Read(ref _dropped);

    public int Sessions => Volatile.Read(ref _sessions);

    public int Subscriptions => Volatile.Read(ref _subscriptions);

    /// <summary>The time, if anybody measures how long events wait; else zero.</summary>
    public long Now => _waiting.Enabled ? Stopwatch.GetTimestamp() : 0;

    public void CountAccepted() => Interlocked.Increment(ref _accepted);

    /// <summary>Counts events that went from one client to another, past the hub.</summary>
    public void CountReported(int count)
    {
        Interlocked.Add(ref _accepted, count);
        Interlocked.Add(ref _delivered, count);
    }

    public void CountRefused(StatusCode code) => Interlocked.Increment(ref _refused[(int)code]);

    public void CountDropped(int count) => Interlocked.Add(ref _dropped, count);

    public void CountDelivered(int count) => Interlocked.Add(ref _delivered, count);

    /// <summary>Notes that an event is taken out of a mailbox.</summary>
    /// <param name="since">When it was accepted, by <see cref="Now"/>.</param>
    /// <param name="machineId">The machine whose inbox it was in; empty for other subscriptions.</param>
    public void RecordWait(long since, string machineId)
    {
        if (since == 0)
        {
            return;
        }

        var tags = new TagList { MessagingMetrics.System };
        if (_namesDestinations)
        {
            MessagingMetrics.AddDestination(ref tags, machineId);
        }

        try
        {
            _waiting.Record(Stopwatch.GetElapsedTime(since).TotalSeconds, tags);
        }
        catch (Exception thrown)
        {
            // A listener to metrics is foreign code. Its exception must not end the stream that the event is for.
            if (_failedListeners.Next(out var leftOut))
            {
                if (leftOut > 0)
                {
                    _logger.LinesLeftOut(nameof(EventBusLog.ListenerFailed), leftOut);
                }

                _logger.ListenerFailed(thrown);
            }
        }
    }

    public void CountBegunSession() => Interlocked.Increment(ref _sessions);

    public void CountEndedSession() => Interlocked.Decrement(ref _sessions);

    public void CountBegunSubscription() => Interlocked.Increment(ref _subscriptions);

    public void CountEndedSubscription() => Interlocked.Decrement(ref _subscriptions);

    private static Measurement<long> Measure(long value) => new(value, MessagingMetrics.System);

    private IEnumerable<Measurement<long>> MeasureRefused()
    {
        for (var code = 0; code < Codes; code++)
        {
            if (Volatile.Read(ref _refused[code]) is > 0 and var count)
            {
                yield return new Measurement<long>(
                    count,
                    MessagingMetrics.System,
                    new KeyValuePair<string, object?>("error.type", ((StatusCode)code).ToString()));
            }
        }
    }
}
