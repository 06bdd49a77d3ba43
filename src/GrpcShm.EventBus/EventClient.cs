using Grpc.Core;
using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus;

/// <summary>
/// A process's part in the event bus: its machines, the events that they send and the events for them, over any gRPC
/// channel. Several threads may use all members at once.
/// </summary>
/// <remarks>
/// Events from one machine to another arrive in the order in which <see cref="SendEventAsync(string, string, string,
/// object?)"/> was called. Handlers of one machine run one after the other, of different machines at the same time. The
/// events that this class raises run on the thread pool, one after the other.
/// </remarks>
public sealed partial class EventClient : IAsyncDisposable, IDisposable
{
    private readonly ClientParts _parts;

    /// <summary>Makes a client. It connects by <see cref="ConnectAsync"/>, and not by itself.</summary>
    /// <param name="channel">
    /// The channel to the hub's process. It stays the caller's, who disposes of it after the client.
    /// </param>
    /// <param name="options">Its settings, or <see langword="null"/>. Not to be changed afterwards.</param>
    /// <exception cref="ArgumentNullException"><paramref name="channel"/> is <see langword="null"/>.</exception>
    public EventClient(ChannelBase channel, EventBusClientOptions? options = null)
        : this(
            new Contract.EventBusClient(channel ?? throw new ArgumentNullException(nameof(channel))),
            channel.Target,
            options,
            connectsByItself: false)
    {
    }

    /// <summary>
    /// Makes a client that calls the hub by a generated one, for example that of the gRPC client factory.
    /// </summary>
    /// <param name="contract">
    /// The generated client, with its channel and interceptors. They stay the caller's. An interceptor, or a
    /// <see cref="CallInvoker"/> that the client was made with, gets the messages of <c>Session</c> as types of this
    /// library's own, unless the program derived a class from the generated client.
    /// </param>
    /// <param name="options">Its settings, or <see langword="null"/>. Not to be changed afterwards.</param>
    /// <exception cref="ArgumentNullException"><paramref name="contract"/> is <see langword="null"/>.</exception>
    public EventClient(Contract.EventBusClient contract, EventBusClientOptions? options = null)
        : this(contract, server: null, options, connectsByItself: false)
    {
    }

    internal EventClient(
        Contract.EventBusClient contract, string? server, EventBusClientOptions? options, bool connectsByItself)
    {
        ArgumentNullException.ThrowIfNull(contract);
        _parts = new ClientParts(
            this, contract, server, options ?? new EventBusClientOptions(), InstanceId, connectsByItself);
    }

    /// <summary>
    /// The client's connection to its hub has changed: connected, reconnecting, disconnected.
    /// </summary>
    public event EventHandler<EventBusConnectionChange>? ConnectionChanged
    {
        add => Events.ConnectionChanged += value;
        remove => Events.ConnectionChanged -= value;
    }

    /// <summary>
    /// A send failed. It is raised whether or not the program awaits the send's task, since the client cannot know
    /// that. Where a pipeline tries again, it is raised only for the last attempt.
    /// </summary>
    public event EventHandler<EventSendFailure>? SendFailed
    {
        add => Events.SendFailed += value;
        remove => Events.SendFailed -= value;
    }

    /// <summary>A handler threw.</summary>
    public event EventHandler<EventHandlerFailure>? HandlerFailed
    {
        add => Events.HandlerFailed += value;
        remove => Events.HandlerFailed -= value;
    }

    /// <summary>A subscription lost events because its mailbox was full.</summary>
    public event EventHandler<EventLoss>? EventsLost
    {
        add => Events.EventsLost += value;
        remove => Events.EventsLost -= value;
    }

    /// <summary>A machine or another subscription could not be restored after a reconnection.</summary>
    public event EventHandler<MachineLoss>? MachineLost
    {
        add => Events.MachineLost += value;
        remove => Events.MachineLost -= value;
    }

    /// <summary>Identifies this client as long as it lives.</summary>
    public string InstanceId { get; } = Guid.NewGuid().ToString("N");

    /// <summary>The state of the client's connection to its hub.</summary>
    public EventBusConnectionState State => _parts.Link.State;

    /// <summary>How many sends have not been answered yet.</summary>
    public int PendingSends => _parts.Queue.PendingSends;

    /// <summary>
    /// Connects to the hub, and keeps connected until <see cref="DisconnectAsync"/>. Does nothing if it is connected.
    /// </summary>
    /// <remarks>
    /// Several callers may wait at once. One that gives up ends only its own wait. When the last of them gives up, the
    /// attempts end; those of a client that services made go on.
    /// </remarks>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="EventBusException">
    /// The hub could not be reached within <see cref="EventBusClientOptions.ConnectTimeout"/>, or refuses, or the
    /// server that answers is no hub (<c>Unavailable</c>). The message says which, and why.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed.</exception>
    public Task ConnectAsync(CancellationToken cancellationToken = default) =>
        _parts.Link.ConnectAsync(cancellationToken);

    /// <summary>
    /// Disconnects: events that were sent before are still written, the machines of this client are unregistered, and
    /// sends that the hub does not answer any more fail with <c>Unavailable</c>. Sends in the flow of a handler that
    /// wait for no more than <see cref="AcknowledgementLevel.Accepted"/> complete instead, and
    /// <see cref="SendFailed"/> tells of them.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting for the hub; the client is disconnected anyway.</param>
    public Task DisconnectAsync(CancellationToken cancellationToken = default) =>
        _parts.Link.EndAsync(cancellationToken);

    /// <summary>
    /// Disconnects for good, as <see cref="DisconnectAsync(CancellationToken)"/> does. A send that is under way and
    /// waits for no more than <see cref="AcknowledgementLevel.Accepted"/> does not fail by it: it completes, and
    /// <see cref="SendFailed"/> tells of it.
    /// </summary>
    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    /// <summary>
    /// As <see cref="DisposeAsync()"/>, for callers that cannot await it: the calling thread waits until the events
    /// that were sent before have been written and answered, for two seconds at most. When this returns, the client is
    /// disconnected, and the channel may be disposed of.
    /// </summary>
    public void Dispose() => _parts.Dispose();

    /// <summary>
    /// Begins to connect, if services made the client and it has not been connected yet. Does not wait for the hub: the
    /// attempts go on until there is a connection, a refusal that is final, or <see cref="DisconnectAsync"/>.
    /// </summary>
    internal void BeginByItself() => _parts.Link.BeginByItself();

    /// <summary>Why the last attempt to connect failed; none if it did not.</summary>
    internal string? WhyNotConnected => _parts.Failures.Reason;

    private RaisedEvents Events => _parts.Events;

    private EventSender Sender => _parts.Begun.Sender;

    private ClientSubscriptions Subscriptions => _parts.Begun.Subscriptions;
}
