namespace GrpcShm.EventBus;

// Sends, requests and publications.
public sealed partial class EventHub
{
    /// <summary>
    /// Sends an event from one machine to another. It has taken its place in the order when this method returns its
    /// task, unless it must wait for room. The task completes when the event is in the target's mailbox.
    /// </summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">The name of the event.</param>
    /// <param name="payload">
    /// The payload, or <see langword="null"/>: <c>byte[]</c>, <c>ByteString</c>, a protobuf message, an object that
    /// travels as JSON, or an object that a codec of the options knows. It is encoded before this method returns.
    /// </param>
    /// <exception cref="EventBusException">
    /// The target is not registered or its process died (<c>NotFound</c>), its mailbox is full or too many sends wait
    /// (<c>ResourceExhausted</c>), or the event is not valid (<c>InvalidArgument</c>).
    /// </exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    public Task SendEventAsync(
        string sourceMachineId, string targetMachineId, string eventName, object? payload = null) =>
        SendEventAsync(sourceMachineId, targetMachineId, eventName, payload, CancellationToken.None);

    /// <summary>
    /// As <see cref="SendEventAsync(string, string, string, object?)"/>, for a caller that may give up waiting.
    /// </summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">The name of the event.</param>
    /// <param name="payload">The payload, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">
    /// Gives up waiting for room. If it is cancelled already, nothing is sent.
    /// </param>
    /// <exception cref="EventBusException">As for the other overload.</exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task SendEventAsync(
        string sourceMachineId,
        string targetMachineId,
        string eventName,
        object? payload,
        CancellationToken cancellationToken) =>
        _parts.Sender.Send(sourceMachineId, targetMachineId, eventName, payload, cancellationToken);

    /// <summary>
    /// Sends an event from one machine to another, and waits until it has come as far as the options say.
    /// </summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">The name of the event.</param>
    /// <param name="payload">The payload, or <see langword="null"/>.</param>
    /// <param name="options">
    /// How far the event must come, and its further parts, or <see langword="null"/> for the defaults.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting. An event that is in a mailbox is not taken back.</param>
    /// <returns>The target's new state, and its reply, where these were waited for.</returns>
    /// <exception cref="EventBusException">
    /// As for the other overload; besides, the acknowledgement did not come in time (<c>DeadlineExceeded</c>), the
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
        EventSendOptions? options,
        CancellationToken cancellationToken = default) =>
        _parts.Sender.Send(sourceMachineId, targetMachineId, eventName, payload, options, cancellationToken);

    /// <summary>
    /// Sends a request and waits for the reply, which the target's handler gives by <see cref="BusEvent.Reply"/>.
    /// </summary>
    /// <param name="sourceMachineId">The machine that asks; may be empty.</param>
    /// <param name="targetMachineId">The machine that is asked.</param>
    /// <param name="eventName">The name of the request.</param>
    /// <param name="payload">The payload, or <see langword="null"/>.</param>
    /// <param name="timeout">How long to wait, or <see langword="null"/> for the hub's default.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="EventBusException">
    /// The target is unknown (<c>NotFound</c>), died (<c>Unavailable</c>), did not reply in time
    /// (<c>DeadlineExceeded</c>), failed (<c>Unknown</c>), or handled the request without a reply (<c>Internal</c>).
    /// </exception>
    public Task<BusEvent> RequestAsync(
        string sourceMachineId,
        string targetMachineId,
        string eventName,
        object? payload = null,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default) =>
        _parts.Sender.Request(sourceMachineId, targetMachineId, eventName, payload, timeout, cancellationToken);

    /// <summary>Publishes an event to all machines, those of the hub's process included.</summary>
    /// <remarks>
    /// The event has no source. <see cref="EventPublishOptions.SourceMachineId"/> names one, and
    /// <see cref="EventPublishOptions.ExcludeSource"/> leaves that machine out.
    /// </remarks>
    /// <param name="eventName">The name of the event.</param>
    /// <param name="payload">The payload, or <see langword="null"/>.</param>
    /// <returns>How many mailboxes the event was put into.</returns>
    /// <exception cref="EventBusException">The event is not valid.</exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    public Task<int> PublishAsync(string eventName, object? payload = null) =>
        _parts.Sender.Publish(eventName, payload, null, CancellationToken.None);

    /// <summary>As <see cref="PublishAsync(string, object?)"/>, for a caller that may give up waiting.</summary>
    /// <param name="eventName">The name of the event.</param>
    /// <param name="payload">The payload, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">Gives up waiting. Only if it is cancelled already, nothing is published.</param>
    /// <returns>How many mailboxes the event was put into.</returns>
    /// <exception cref="EventBusException">The event is not valid.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task<int> PublishAsync(string eventName, object? payload, CancellationToken cancellationToken) =>
        _parts.Sender.Publish(eventName, payload, null, cancellationToken);

    /// <summary>
    /// Publishes an event to a group, to the machines whose ids match a pattern, to observers, or to all.
    /// </summary>
    /// <param name="eventName">The name of the event.</param>
    /// <param name="payload">The payload, or <see langword="null"/>.</param>
    /// <param name="options">
    /// The machine that publishes, and the audience, or <see langword="null"/> for all machines.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting. An event that is in a mailbox is not taken back.</param>
    /// <returns>How many mailboxes the event was put into.</returns>
    /// <exception cref="ArgumentException">
    /// The options name more than one audience, or leave a source out that they do not name.
    /// </exception>
    /// <exception cref="EventBusException">The event is not valid.</exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    public Task<int> PublishAsync(
        string eventName,
        object? payload,
        EventPublishOptions? options,
        CancellationToken cancellationToken = default) =>
        _parts.Sender.Publish(eventName, payload, options, cancellationToken);

    /// <summary>Tells the subscribers to a machine's changes of state that the machine changed its state.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="change">The change.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>How many mailboxes the change was put into.</returns>
    /// <exception cref="EventBusException">The change is not valid.</exception>
    public Task<int> PublishStateChangeAsync(
        string machineId, MachineStateChange change, CancellationToken cancellationToken = default) =>
        PublishStateChangeAsync(machineId, change, null, null, cancellationToken);

    /// <summary>As the other overload, with a payload, an id, headers and the other parts of an event.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="change">The change.</param>
    /// <param name="payload">The payload besides the change's context, or <see langword="null"/>.</param>
    /// <param name="options">
    /// The event's id, headers, correlation and the like, or <see langword="null"/> for none. Its acknowledgement and
    /// time-out have no meaning here.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>How many mailboxes the change was put into.</returns>
    /// <exception cref="EventBusException">The change is not valid.</exception>
    public Task<int> PublishStateChangeAsync(
        string machineId,
        MachineStateChange change,
        object? payload,
        EventSendOptions? options,
        CancellationToken cancellationToken = default) =>
        _parts.Sender.PublishStateChange(machineId, change, payload, options, cancellationToken);
}
