using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Diagnostics.Tracing;

namespace GrpcShm.Hosting.Tests.Observing;

/// <summary>
/// Listens to all meters of one factory, and to the event sources, spans and diagnostic listeners of HTTP and gRPC in
/// this process. It writes what they report as lines that are equal in two runs of the same calls.
/// </summary>
internal sealed class Observer : EventListener, IObserver<DiagnosticListener>
{
    // Without gRPC's own event sources: they do not know the transport, and a copy of gRPC in a plug-in takes their
    // name.
    private static readonly string[] Sources =
        ["System.Net.Http", "Microsoft-AspNetCore-Server-Kestrel", "Microsoft.AspNetCore.Hosting"];

    private static readonly string[] Activities =
        ["System.Net.Http", "Microsoft.AspNetCore", "Grpc.Net.Client", "Grpc.AspNetCore.Server"];

    private readonly Func<object?, string> _normalize;
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities;
    private readonly List<IDisposable> _subscriptions = [];
    private readonly List<string> _heard = [];
    private readonly Dictionary<string, double> _sums = [];
    private readonly bool _isReady;

    /// <param name="factory">The factory of the meters.</param>
    /// <param name="normalize">Makes equal the parts that differ from run to run.</param>
    public Observer(IMeterFactory factory, Func<object?, string> normalize)
    {
        _normalize = normalize;
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, factory))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Measured(instrument, value, tags));
        _meters.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Measured(instrument, value, tags));
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Measured(instrument, value, tags));
        _activities = new ActivityListener
        {
            ShouldListenTo = static source => Activities.Contains(source.Name),
            Sample =
                static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity => Add(
                $"span {activity.Source.Name} {activity.DisplayName} {activity.Kind} {activity.Status} "
                + Describe(activity.TagObjects)),
        };
        _isReady = true;
        foreach (var source in EventSource.GetSources())
        {
            Enable(source);
        }

        _meters.Start();
        ActivitySource.AddActivityListener(_activities);
        _subscriptions.Add(DiagnosticListener.AllListeners.Subscribe(this));
    }

    /// <summary>All lines, each once.</summary>
    public SortedSet<string> Heard
    {
        get
        {
            lock (_heard)
            {
                return new SortedSet<string>(_heard, StringComparer.Ordinal);
            }
        }
    }

    /// <summary>The counters that go up and down, and are not 0 at the end.</summary>
    public IEnumerable<string> LeftOver
    {
        get
        {
            lock (_heard)
            {
                return [.. _sums.Where(static sum => sum.Value != 0).Select(static sum => $"{sum.Key}: {sum.Value}")];
            }
        }
    }

    public bool Has(string start) => Heard.Any(line => line.StartsWith(start, StringComparison.Ordinal));

    public override void Dispose()
    {
        _meters.Dispose();
        _activities.Dispose();
        lock (_subscriptions)
        {
            _subscriptions.ForEach(static subscription => subscription.Dispose());
        }

        base.Dispose();
    }

    void IObserver<DiagnosticListener>.OnNext(DiagnosticListener value)
    {
        if (value.Name is "HttpHandlerDiagnosticListener" or "Microsoft.AspNetCore" or "Grpc.Net.Client")
        {
            lock (_subscriptions)
            {
                _subscriptions.Add(value.Subscribe(new Diagnostics(this, value.Name)));
            }
        }
    }

    void IObserver<DiagnosticListener>.OnCompleted()
    {
    }

    void IObserver<DiagnosticListener>.OnError(Exception error) => Add($"error {error}");

    // Called by the base class before the constructor here has run.
    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (_isReady)
        {
            Enable(eventSource);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData)
    {
        // A new listener gets events of all servers of the process.
        if (eventData.EventName != "Configuration")
        {
            var payload = string.Join(", ", (eventData.Payload ?? []).Select(_normalize));
            Add($"event {eventData.EventSource.Name} {eventData.EventName} {payload}");
        }
    }

    private void Enable(EventSource source)
    {
        if (Sources.Contains(source.Name))
        {
            EnableEvents(source, EventLevel.Verbose, EventKeywords.All);
        }
    }

    private void Measured(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var line = $"meter {instrument.Meter.Name} {instrument.Name} [{instrument.Unit}] {Describe(tags.ToArray())}";
        Add(line);

        // Kestrel's pool keeps memory for a while.
        if (instrument is UpDownCounter<long> && instrument.Meter.Name != "Microsoft.AspNetCore.MemoryPool")
        {
            lock (_heard)
            {
                _sums[line] = _sums.GetValueOrDefault(line) + value;
            }
        }
    }

    private string Describe(IEnumerable<KeyValuePair<string, object?>> tags) =>
        string.Join(", ", tags.Select(tag => $"{tag.Key}={_normalize(tag.Value)}").Order(StringComparer.Ordinal));

    private void Add(string line)
    {
        lock (_heard)
        {
            _heard.Add(line.TrimEnd());
        }
    }

    private sealed class Diagnostics(Observer observer, string name) : IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(KeyValuePair<string, object?> value) => observer.Add($"diagnostic {name} {value.Key}");

        public void OnCompleted()
        {
        }

        public void OnError(Exception error) => observer.Add($"error {error}");
    }
}
