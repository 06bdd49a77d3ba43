using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Lanes;
using Microsoft.Extensions.Logging.Abstractions;
using Polly.CircuitBreaker;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// The parts that a client is composed of. Each part owns its fields, and knows no part that is made after it.
/// </summary>
internal sealed class ClientParts : IAsyncDisposable, IDisposable
{
    private readonly EventBusClientOptions _options;
    private readonly ClientLanes? _lanes;

    public ClientParts(
        EventClient client,
        Contract.EventBusClient contract,
        string? server,
        EventBusClientOptions options,
        string instanceId,
        bool connectsByItself)
    {
        _options = options;
        var loggers = options.LoggerFactory ?? NullLoggerFactory.Instance;
        var logger = new UnfailingLogger(loggers.CreateLogger(EventBusLog.Category));
        var newEvents = new NewEvents(new PayloadCodecs(options));
        var breaker = new CircuitBreakerStateProvider();
        var end = new ClientEnd();
        var session = new CurrentSession();
        var receivers = new ReceiverTable();
        Events = new RaisedEvents(client, logger);
        Failures = new ConnectFailures(Events, server);
        Metrics = new MessagingMetrics(options.MeterFactory, options.MeasureDestinations);
        Queue = new CommandQueue(options.MaxPendingSends, (ulong)Random.Shared.NextInt64(1, long.MaxValue));
        Queue.Close(ClientEnd.MakeUnconnected());

        var waits = new ClientWaits(Queue, session);
        var instruments = new EventInstruments(Metrics, Events);
        var reports = new SendReports(instruments, Events);
        var host = new ReceiverHost(newEvents.Codecs, options.MaxPendingSends, waits, instruments, Events);
        Subscriptions = new ClientSubscriptions(receivers, Queue, session, host, options.ReceiveWindow);

        var answers = new CommandAnswers(Queue, Subscriptions, waits, reports, Events, end);
        _lanes = options.Lanes is null ? null : new ClientLanes(
            options.Lanes, options.LaneTimes, Queue, session, answers, receivers, Metrics, logger);
        var sessions = new SessionMaker(
            contract,
            options.ConnectPipeline ?? DefaultPipelines.Connecting(breaker),
            new OpenSession
            {
                InstanceId = instanceId, Name = options.Name, TakesParts = true, TakesSharedDeliveries = true,
            },
            Queue,
            session,
            Subscriptions,
            waits,
            new LeftCommands(Queue, answers, _lanes),
            new SessionEvents(receivers, answers, Events, _lanes),
            Failures,
            new ShortSessions(options.ShortSession),
            _lanes);
        Link = new HubLink(
            sessions,
            Failures,
            options,
            connectsByItself,
            Queue,
            session,
            Subscriptions,
            answers,
            Events,
            end,
            _lanes);

        var dispatcher = new EventDispatcher(
            options, receivers, Queue, session, waits, breaker, Failures, reports, end, _lanes);
        Sender = new EventSender(
            options.SendPipeline, options.AcknowledgementTimeout, newEvents, dispatcher, reports, end);
        Queries = new HubQueries(contract, options.AcknowledgementTimeout, end);
    }

    /// <summary>The events that the client raises.</summary>
    public RaisedEvents Events { get; }

    /// <summary>The failures of its attempts to connect.</summary>
    public ConnectFailures Failures { get; }

    public MessagingMetrics Metrics { get; }

    /// <summary>The commands that have not been written yet.</summary>
    public CommandQueue Queue { get; }

    /// <summary>Its machines and other subscriptions.</summary>
    public ClientSubscriptions Subscriptions { get; }

    /// <summary>Its link to the hub.</summary>
    public HubLink Link { get; }

    /// <summary>These parts, once the link has begun to connect, if it does that by itself.</summary>
    public ClientParts Begun
    {
        get
        {
            Link.BeginByItself();
            return this;
        }
    }

    public EventSender Sender { get; }

    public HubQueries Queries { get; }

    public ValueTask DisposeAsync() => new(DisposeWithinAsync(_options.ClosingTime));

    public void Dispose()
    {
        var disposing = DisposeWithinAsync(_options.BlockingClosingTime);

        // A stream that does not end by itself is let go of, which may take half as long again. After that the end goes
        // on without this thread.
        if (Task.WaitAny([disposing], _options.BlockingClosingTime * 1.5) == 0)
        {
            disposing.GetAwaiter().GetResult();
        }

        Link.SetEnded();
    }

    private async Task DisposeWithinAsync(TimeSpan closingTime)
    {
        await Link.DisposeAsync(closingTime).ConfigureAwait(false);
        _lanes?.Dispose();
        Metrics.Dispose();
    }
}
