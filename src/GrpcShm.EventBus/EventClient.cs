using System.Collections.Concurrent;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.CircuitBreaker;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus;

/// <summary>
/// A process's part in the event bus: its machines, what they send and what comes for them, over any gRPC channel. All
/// members may be used by several threads at once.
/// </summary>
/// <remarks>
/// Events from one machine to another arrive in the order in which <see cref="SendEventAsync(string, string, string, object?)"/>
/// was called. Handlers of one machine run one after the other, of different machines at the same time. The events that
/// this class raises run on the thread pool, one after the other.
/// </remarks>
public sealed partial class EventClient : IAsyncDisposable, IDisposable
{
    private readonly Contract.EventBusClient _contract;
    private readonly EventBusClientOptions _options;
    private readonly ILogger _logger;
    private readonly PayloadCodecs _codecs;
    private readonly MessagingMetrics _metrics;
    private readonly CommandQueue _queue;
    private readonly ClientWaits _waits;
    private readonly CircuitBreakerStateProvider _breaker = new();
    private readonly ResiliencePipeline _connectPipeline;
    private readonly ResiliencePipeline _sendPipeline;
    private readonly ConcurrentDictionary<string, EventReceiver> _machines = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<uint, EventReceiver> _receivers = new();
    private readonly Lock _connectionLock = new();
    private readonly Queue<Action> _raised = new();
    private readonly RepeatedLines _failedSends = new();
    private readonly RepeatedLines _losses = new();
    private EventReceiver[] _observers = [];
    private int _lastReceiver;
    private bool _isRaising;
    private volatile bool _isDisposed;
    private volatile bool _hasEnded;

    /// <summary>Makes a client. It connects by <see cref="ConnectAsync"/>.</summary>
    /// <param name="channel">The channel to the hub's process. It stays the caller's, who disposes of it after the client.</param>
    /// <param name="options">How to connect, send and encode; or <see langword="null"/> for the defaults. Not to be changed afterwards.</param>
    /// <exception cref="ArgumentNullException"><paramref name="channel"/> is <see langword="null"/>.</exception>
    public EventClient(ChannelBase channel, EventBusClientOptions? options = null)
        : this(new Contract.EventBusClient(channel ?? throw new ArgumentNullException(nameof(channel))), options)
    {
    }

    /// <summary>Makes a client that calls the hub by a generated one, for example that of the gRPC client factory.</summary>
    /// <param name="contract">The generated client, with its channel and interceptors. They stay the caller's.</param>
    /// <param name="options">How to connect, send and encode; or <see langword="null"/> for the defaults. Not to be changed afterwards.</param>
    /// <exception cref="ArgumentNullException"><paramref name="contract"/> is <see langword="null"/>.</exception>
    public EventClient(Contract.EventBusClient contract, EventBusClientOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(contract);
        _options = options ?? new EventBusClientOptions();
        _contract = contract;
        _logger = new UnfailingLogger((_options.LoggerFactory ?? NullLoggerFactory.Instance).CreateLogger<EventClient>());
        _codecs = new PayloadCodecs(_options);
        _metrics = new MessagingMetrics(_options.MeterFactory, _options.MeasureDestinations);
        _queue = new CommandQueue(_options.MaxPendingSends, (ulong)Random.Shared.NextInt64(1, long.MaxValue));
        _queue.Close(Disconnected(null));
        _waits = new ClientWaits(TellOfWait, () => Volatile.Read(ref _link)?.Wake());
        _connectPipeline = _options.ConnectPipeline ?? DefaultPipelines.Connecting(_breaker);
        _sendPipeline = _options.SendPipeline ?? DefaultPipelines.Sending();
    }

    /// <summary>The client stands differently with its hub than before: connected, reconnecting, disconnected.</summary>
    public event EventHandler<EventBusConnectionChange>? ConnectionChanged;

    /// <summary>
    /// A send failed. Raised whether or not its task is awaited, since nobody can tell; where a pipeline tries again, only
    /// for the last attempt.
    /// </summary>
    public event EventHandler<EventSendFailure>? SendFailed;

    /// <summary>A handler threw.</summary>
    public event EventHandler<EventHandlerFailure>? HandlerFailed;

    /// <summary>A subscription lost events because its mailbox was full.</summary>
    public event EventHandler<EventLoss>? EventsLost;

    /// <summary>A machine or another subscription could not be restored after a reconnection.</summary>
    public event EventHandler<MachineLoss>? MachineLost;

    /// <summary>Identifies this client in its life.</summary>
    public string InstanceId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>How the client stands with its hub.</summary>
    public EventBusConnectionState State =>
        _hasEnded ? EventBusConnectionState.Disconnected : (EventBusConnectionState)Volatile.Read(ref _state);

    /// <summary>How many sends have not been answered yet.</summary>
    public int PendingSends => _queue.PendingSends;

    private void Raise<T>(EventHandler<T>? handlers, T arguments)
    {
        if (handlers is null)
        {
            return;
        }

        lock (_raised)
        {
            _raised.Enqueue(() => RunHandlers(handlers, arguments));
            if (_isRaising)
            {
                return;
            }

            _isRaising = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(static client => client.RunRaised(), this, preferLocal: false);
    }

    private void RunRaised()
    {
        while (true)
        {
            Action? next;
            lock (_raised)
            {
                if (!_raised.TryDequeue(out next))
                {
                    _isRaising = false;
                    return;
                }
            }

            next();
        }
    }

    private void RunHandlers<T>(EventHandler<T> handlers, T arguments)
    {
        try
        {
            HandlerFlow.Raise(() => handlers(this, arguments));
        }
        catch (Exception exception)
        {
            _logger.ObserverFailed(exception);
        }
    }
}
