using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Tests.Native.Diagnostics;

/// <summary>
/// Writes down what one host tells of its requests, in the order in which it is told, as lines that are equal in two
/// runs of the same call. It listens to nothing of other hosts in the process.
/// </summary>
internal sealed partial class Recorder : ILoggerProvider, ISupportExternalScope
{
    /// <summary>The category of the handler's own lines.</summary>
    public const string Handler = "Handler";

    // What is told of the host, of its connections, and of what the handler throws.
    private static readonly string[] OthersLogs =
    [
        "GrpcShm", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.Hosting.Lifetime", "Microsoft.Extensions.Hosting",
        "Grpc.AspNetCore.Server.ServerCallHandler",
    ];

    private static readonly string[] OthersMeters =
        ["GrpcShm", "Microsoft.AspNetCore.Server.Kestrel", "Microsoft.AspNetCore.MemoryPool"];

    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private IExternalScopeProvider? _scopes;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Parts of the identifiers that the test itself has chosen. All others are random.</summary>
    public string[] Chosen { get; init; } = [];

    /// <summary>Listens to the meters of a host.</summary>
    public MeterListener Listen(IMeterFactory factory)
    {
        var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, factory) && !IsOneOf(OthersMeters, instrument.Meter.Name))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>(
            (instrument, value, tags, _) => Add($"{instrument.Name} {value} {Describe(tags)}"));
        listener.SetMeasurementEventCallback<double>(
            (instrument, value, tags, _) => Add($"{instrument.Name} {(value > 0 ? "> 0" : "0")} {Describe(tags)}"));
        listener.Start();
        return listener;
    }

    /// <summary>Listens to the spans of a host.</summary>
    public ActivityListener Listen(ActivitySource source, ActivitySamplingResult result)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = other => ReferenceEquals(source, other),
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
            {
                Add($"sample {options.Name} {options.Kind} {options.Parent.TraceId} {options.Parent.SpanId} "
                    + $"{options.Parent.TraceFlags} {options.Parent.TraceState} {options.Parent.IsRemote} "
                    + $"{Describe(options.Tags?.ToArray())} {options.Links?.Count()}");
                return result;
            },
            SampleUsingParentId = (ref ActivityCreationOptions<string> options) =>
            {
                Add($"sample {options.Name} {options.Kind} by {options.Parent} {Describe(options.Tags?.ToArray())}");
                return result;
            },
            ActivityStarted = span => Add($"started {Describe(span)}"),
            ActivityStopped = span => Add($"stopped {Describe(span)}"),
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    public void Add(string line)
    {
        line = Spans().Replace(line, match => Chosen.Contains(match.Value) ? match.Value : $"({match.Length} digits)");
        line = Times().Replace(Connections().Replace(line, "a connection"), "a time");
        lock (_gate)
        {
            _lines.Add(line);
        }
    }

    public static string Describe(Activity? span) => span is null
        ? "no span"
        : $"{span.OperationName} {span.DisplayName} {span.Kind} {span.IdFormat} {span.Id} of {span.ParentId} "
            + $"({span.ParentSpanId}, {span.HasRemoteParent}, {span.Parent?.Id}) {span.ActivityTraceFlags} "
            + $"{span.TraceStateString} {span.IsAllDataRequested} {span.Status} {span.StatusDescription} "
            + $"{span.IsStopped} {span.Duration > TimeSpan.Zero} {span.Links.Count()} {span.Events.Count()} "
            + $"tags {Describe(span.TagObjects.ToArray())} "
            + $"baggage {string.Join(", ", span.Baggage.Select(static item => $"{item.Key}={item.Value}"))}";

    public ILogger CreateLogger(string categoryName) =>
        IsOneOf(OthersLogs, categoryName)
            ? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance
            : new Logger(this, categoryName);

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    private static bool IsOneOf(string[] names, string name) =>
        names.Any(start => name.StartsWith(start, StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex("\\b([0-9a-f]{32}|[0-9a-f]{16})\\b")]
    private static partial Regex Spans();

    [GeneratedRegex("\\bshm-[0-9]+-[0-9]+\\b")]
    private static partial Regex Connections();

    [GeneratedRegex("\\b[0-9]+\\.[0-9]{4}ms")]
    private static partial Regex Times();

    private static string Describe(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var texts = new List<string>();
        foreach (var (key, value) in tags)
        {
            texts.Add($"{key}={Write(value)}");
        }

        return $"[{string.Join(", ", texts)}]";
    }

    private static string Write(object? value) => value switch
    {
        double => "a double",
        null => "(none)",
        _ => string.Create(CultureInfo.InvariantCulture, $"{value} ({value.GetType().Name})"),
    };

    private sealed class Logger(Recorder recorder, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            var scopes = new List<string>();
            recorder._scopes!.ForEachScope(
                static (scope, scopes) =>
                {
                    var values = scope is IEnumerable<KeyValuePair<string, object>> list
                        ? string.Join(", ", list.Select(static item => $"{item.Key}={Write(item.Value)}"))
                        : "";
                    scopes.Add($"{{{scope}: {values}}}");
                },
                scopes);
            var values = Describe((state as IEnumerable<KeyValuePair<string, object?>>)?.ToArray());
            recorder.Add($"{logLevel} {category} {eventId.Id} {eventId.Name} {formatter(state, exception)} {values} "
                + $"{exception?.GetType()} in {string.Join(' ', scopes)}");
        }
    }
}
