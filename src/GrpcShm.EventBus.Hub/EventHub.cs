using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Local;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>
/// The hub, seen from its own process: machines that live here take part without a connection, and are made and handled
/// as those of an <see cref="EventClient"/> are. Get it from the server's services. All members may be used by several
/// threads at once.
/// </summary>
public sealed class EventHub
{
    private readonly LocalMachines _machines;
    private readonly LocalSender _sender;

    internal EventHub(HubCore hub, LocalMachineOptions options)
    {
        var newEvents = new NewEvents(new PayloadCodecs(options));
        _machines = new LocalMachines(hub, newEvents.Codecs);
        _sender = new LocalSender(hub, newEvents);
    }

    /// <summary>Registers a machine of this process and subscribes to its events.</summary>
    /// <param name="machineId">The machine, unique on the hub.</param>
    /// <param name="handler">Handles the machine's events, one after the other, on the thread pool.</param>
    /// <param name="options">
    /// Its groups and the bounds of its inbox, or <see langword="null"/> for none and the hub's.
    /// </param>
    /// <param name="cancellationToken">Gives up, if it is cancelled before the machine is registered.</param>
    /// <returns>The machine. Dispose of it to unregister it.</returns>
    /// <exception cref="EventBusException">
    /// The machine belongs to another live process or to this one already (<c>AlreadyExists</c>), or an id or a bound
    /// is not valid (<c>InvalidArgument</c>).
    /// </exception>
    public Task<LocalMachine> RegisterMachineAsync(
        string machineId,
        Func<BusEvent, Task> handler,
        MachineOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(handler);
        return _machines.RegisterAsync(machineId, handler, options ?? new MachineOptions(), cancellationToken);
    }

    /// <summary>
    /// Sends an event from a machine to another one. It has taken its place in the order when this method returns its
    /// task, unless it must wait for room; the task completes when the event is in the target's mailbox.
    /// </summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">
    /// What goes along, or <see langword="null"/>. It is encoded before this method returns.
    /// </param>
    /// <exception cref="EventBusException">
    /// The target is not registered or its process died (<c>NotFound</c>), its mailbox is full
    /// (<c>ResourceExhausted</c>), or the event is not valid (<c>InvalidArgument</c>).
    /// </exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    public Task SendEventAsync(
        string sourceMachineId, string targetMachineId, string eventName, object? payload = null) =>
        SendEventAsync(sourceMachineId, targetMachineId, eventName, payload, CancellationToken.None);

    /// <summary>As the overload without a token, for a caller that may give up waiting for room.</summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">
    /// Gives up waiting for room. If this is cancelled already, nothing is sent.
    /// </param>
    /// <exception cref="EventBusException">As for the overload without a token.</exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task SendEventAsync(
        string sourceMachineId,
        string targetMachineId,
        string eventName,
        object? payload,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sourceMachineId);
        ArgumentNullException.ThrowIfNull(targetMachineId);
        ArgumentNullException.ThrowIfNull(eventName);
        return _sender.Send(sourceMachineId, targetMachineId, eventName, payload, cancellationToken);
    }

    /// <summary>
    /// Sends an event from a machine to another one, and waits until it has come as far as the options say.
    /// </summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="options">How far the event must come, and what it carries.</param>
    /// <param name="cancellationToken">Gives up waiting. What has been put into a mailbox is not taken back.</param>
    /// <returns>The target's new state, and its reply, where these were waited for.</returns>
    /// <exception cref="EventBusException">
    /// As for the other overloads; besides, the acknowledgement did not come in time (<c>DeadlineExceeded</c>), the
    /// target died before it came (<c>Unavailable</c>), its mailbox dropped the event (<c>Aborted</c>), its handler
    /// failed (<c>Unknown</c>), or handlers would wait for each other in a circle (<c>FailedPrecondition</c>).
    /// </exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task<EventSendResult> SendEventAsync(
        string sourceMachineId,
        string targetMachineId,
        string eventName,
        object? payload,
        EventSendOptions options,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(sourceMachineId);
        ArgumentNullException.ThrowIfNull(targetMachineId);
        ArgumentNullException.ThrowIfNull(eventName);
        ArgumentNullException.ThrowIfNull(options);
        return _sender.SendAsync(sourceMachineId, targetMachineId, eventName, payload, options, cancellationToken);
    }

    /// <summary>
    /// Sends a request and waits for the reply, which the target's handler gives by <see cref="BusEvent.Reply"/>.
    /// </summary>
    /// <param name="sourceMachineId">The machine that asks; may be empty.</param>
    /// <param name="targetMachineId">The machine that is asked.</param>
    /// <param name="eventName">What is asked.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="timeout">How long to wait, or <see langword="null"/> for the hub's default.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="EventBusException">
    /// The target is unknown (<c>NotFound</c>), died (<c>Unavailable</c>), did not reply in time
    /// (<c>DeadlineExceeded</c>), failed (<c>Unknown</c>), or handled the request without a reply (<c>Internal</c>).
    /// </exception>
    public async Task<BusEvent> RequestAsync(
        string sourceMachineId,
        string targetMachineId,
        string eventName,
        object? payload = null,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        var options = new EventSendOptions
        {
            Acknowledgement = AcknowledgementLevel.Replied, Timeout = timeout, Id = Guid.NewGuid().ToString("N"),
        };
        var result = await SendEventAsync(
            sourceMachineId, targetMachineId, eventName, payload, options, cancellationToken).ConfigureAwait(false);
        return result.Reply!;
    }

    /// <summary>
    /// Publishes an event to a group, to the machines whose ids match a pattern, to observers, or to all.
    /// </summary>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="options">Who publishes, and for whom; or <see langword="null"/> for all.</param>
    /// <param name="cancellationToken">Gives up waiting. What has been put into a mailbox is not taken back.</param>
    /// <returns>How many mailboxes the event was put into.</returns>
    /// <exception cref="ArgumentException">The options name more than one audience.</exception>
    /// <exception cref="EventBusException">The event is not valid.</exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    public Task<int> PublishAsync(
        string eventName,
        object? payload = null,
        EventPublishOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(eventName);
        return _sender.PublishAsync(eventName, payload, options ?? new EventPublishOptions(), cancellationToken);
    }
}
