using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// Publications: events for many.
public sealed partial class EventClient
{
    /// <summary>Publishes an event to all machines, this client's included.</summary>
    /// <remarks>
    /// A publication whose answer cannot come any more because this client has been disposed of completes, as a send does:
    /// <see cref="SendFailed"/> tells what became of it.
    /// </remarks>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <exception cref="EventBusException">The event is not valid, or the hub cannot be reached.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of, and this is not the flow of a handler.</exception>
    public Task PublishAsync(string eventName, object? payload = null) =>
        PublishAsync(eventName, payload, new EventPublishOptions());

    /// <summary>As <see cref="PublishAsync(string, object?)"/>, for a caller that may give up waiting.</summary>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">
    /// Gives up waiting. The event is not taken back; but if this is cancelled already, it is not published.
    /// </param>
    /// <exception cref="EventBusException">The event is not valid, or the hub cannot be reached.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of, and this is not the flow of a handler.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task PublishAsync(string eventName, object? payload, CancellationToken cancellationToken) =>
        PublishAsync(eventName, payload, new EventPublishOptions(), cancellationToken);

    /// <summary>Publishes an event to a group, to the machines whose ids match a pattern, to observers, or to all.</summary>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="options">Who publishes, and for whom.</param>
    /// <param name="cancellationToken">Gives up waiting. The event is not taken back.</param>
    /// <returns>How many mailboxes the event was put into.</returns>
    /// <exception cref="ArgumentException">The options name more than one audience.</exception>
    /// <exception cref="EventBusException">The event is not valid, or the hub cannot be reached.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of, and this is not the flow of a handler.</exception>
    public async Task<int> PublishAsync(
        string eventName, object? payload, EventPublishOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(eventName);
        ArgumentNullException.ThrowIfNull(options);
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfDisposed();
        return await PublishAsync(MakeEvent(options.SourceMachineId, "", eventName, payload, options.Event), options, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Tells whoever subscribed to it that a machine changed its state.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="change">What changed.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>How many mailboxes it was put into.</returns>
    /// <exception cref="EventBusException">The change is not valid, or the hub cannot be reached.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of, and this is not the flow of a handler.</exception>
    public Task<int> PublishStateChangeAsync(
        string machineId, MachineStateChange change, CancellationToken cancellationToken = default) =>
        PublishStateChangeAsync(machineId, change, null, null, cancellationToken);

    /// <summary>As the other overload, with a payload, an id, headers and what else an event may carry.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="change">What changed.</param>
    /// <param name="payload">What goes along besides the change's context, or <see langword="null"/>.</param>
    /// <param name="options">
    /// The event's id, headers, correlation and the like, or <see langword="null"/> for none. Its acknowledgement and time-out have no
    /// meaning here.
    /// </param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>How many mailboxes it was put into.</returns>
    /// <exception cref="EventBusException">The change is not valid, or the hub cannot be reached.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of, and this is not the flow of a handler.</exception>
    public Task<int> PublishStateChangeAsync(
        string machineId,
        MachineStateChange change,
        object? payload,
        EventSendOptions? options,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(change);
        ThrowIfDisposed();
        var name = change.Transition.Length > 0 ? change.Transition : "state-changed";
        var @event = MakeEvent(machineId, "", name, payload, options);
        @event.StateChange = new StateChange
        {
            OldState = change.OldState, NewState = change.NewState, Transition = change.Transition, Duration = change.Duration.Ticks,
        };
        if (change.Context is not null)
        {
            var context = _codecs.Encode(change.Context);
            @event.StateChange.Context = context.Data;
            @event.StateChange.ContextContentType = context.ContentType;
            @event.StateChange.ContextTypeName = context.TypeName;
        }

        return PublishAsync(@event, new EventPublishOptions { ObserversOnly = true }, cancellationToken);
    }

    private async Task<int> PublishAsync(Event @event, EventPublishOptions options, CancellationToken cancellationToken)
    {
        var publication = new Publication { Event = @event, ExcludeSource = options.ExcludeSource };
        switch (options)
        {
            case { Group: { } group, MachinePattern: null, ObserversOnly: false }:
                publication.Group = group;
                break;
            case { Group: null, MachinePattern: { } pattern, ObserversOnly: false }:
                publication.MachinePattern = pattern;
                break;
            case { Group: null, MachinePattern: null, ObserversOnly: true }:
                publication.Observers = new Observers();
                break;
            case { Group: null, MachinePattern: null, ObserversOnly: false }:
                publication.All = new AllMachines();
                break;
            default:
                throw new ArgumentException(
                    "The options name more than one audience. Publish once for each.", nameof(options));
        }

        var outcome = await SendByHub(
            new SessionCommand { Publish = publication }, @event, isAttempt: false).WaitAsync(cancellationToken).ConfigureAwait(false);
        return (int)(outcome?.Recipients ?? 0);
    }
}
