using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Routing;
using Polly.CircuitBreaker;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// Sends, requests and publications.
public sealed partial class EventBusClient
{
    // What surrounds an event's payload and ids, roughly.
    private const int CommandOverhead = 64;

    /// <summary>
    /// Sends an event from one machine to another. It has taken its place in the order when this method returns its task,
    /// which completes when the event is in the target's mailbox.
    /// </summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">
    /// What goes along, or <see langword="null"/>: <c>byte[]</c>, <c>ByteString</c>, a protobuf message, an object that goes
    /// as JSON, or what a codec of the options is for. It is encoded before this method returns.
    /// </param>
    /// <exception cref="EventBusException">
    /// The target is not registered or its process died (<c>NotFound</c>), its mailbox is full (<c>ResourceExhausted</c>), the
    /// event is not valid (<c>InvalidArgument</c>), or the hub cannot be reached (<c>Unavailable</c>).
    /// </exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    public Task SendEventAsync(string sourceMachineId, string targetMachineId, string eventName, object? payload = null)
    {
        ArgumentNullException.ThrowIfNull(sourceMachineId);
        ArgumentNullException.ThrowIfNull(targetMachineId);
        ArgumentNullException.ThrowIfNull(eventName);
        Event @event;
        try
        {
            @event = MakeEvent(sourceMachineId, targetMachineId, eventName, payload, null);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return Task.FromException(exception);
        }

        return SendOnce(@event, AcknowledgementLevel.Accepted, 0, isAttempt: false);
    }

    /// <summary>Sends an event from one machine to another, and waits until it has come as far as the options say.</summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="options">How far the event must come, and what it carries.</param>
    /// <param name="cancellationToken">Gives up waiting. The event is not taken back.</param>
    /// <returns>The target's new state, and its reply, where these were waited for.</returns>
    /// <exception cref="EventBusException">
    /// As for the other overload; besides, the acknowledgement did not come in time (<c>DeadlineExceeded</c>), the target died
    /// before it came (<c>Unavailable</c>), its mailbox dropped the event (<c>Aborted</c>), or its handler failed (<c>Unknown</c>).
    /// </exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
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
        return SendAsync(MakeEvent(sourceMachineId, targetMachineId, eventName, payload, options), options, cancellationToken);
    }

    /// <summary>Sends a request and waits for the reply, which the target's handler gives by <see cref="MachineEvent.Reply"/>.</summary>
    /// <param name="sourceMachineId">The machine that asks; may be empty.</param>
    /// <param name="targetMachineId">The machine that is asked.</param>
    /// <param name="eventName">What is asked.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="timeout">How long to wait, or <see langword="null"/> for the client's default.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="EventBusException">
    /// The target is unknown (<c>NotFound</c>), died (<c>Unavailable</c>), did not reply in time (<c>DeadlineExceeded</c>), failed
    /// (<c>Unknown</c>), or handled the request without a reply (<c>Internal</c>).
    /// </exception>
    public async Task<MachineEvent> RequestAsync(
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
        var result = await SendEventAsync(sourceMachineId, targetMachineId, eventName, payload, options, cancellationToken)
            .ConfigureAwait(false);
        return result.Reply!;
    }

    /// <summary>Publishes an event to all machines, this client's included.</summary>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <exception cref="EventBusException">The event is not valid, or the hub cannot be reached.</exception>
    public Task PublishAsync(string eventName, object? payload = null) =>
        PublishAsync(eventName, payload, new EventPublishOptions());

    /// <summary>Publishes an event to a group, to the machines whose ids match a pattern, to observers, or to all.</summary>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="options">Who publishes, and for whom.</param>
    /// <param name="cancellationToken">Gives up waiting. The event is not taken back.</param>
    /// <returns>How many mailboxes the event was put into.</returns>
    /// <exception cref="ArgumentException">The options name more than one audience.</exception>
    /// <exception cref="EventBusException">The event is not valid, or the hub cannot be reached.</exception>
    public async Task<int> PublishAsync(
        string eventName, object? payload, EventPublishOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(eventName);
        ArgumentNullException.ThrowIfNull(options);
        return await PublishAsync(MakeEvent(options.SourceMachineId, "", eventName, payload, options.Event), options, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Tells whoever subscribed to it that a machine changed its state.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="change">What changed.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>How many mailboxes it was put into.</returns>
    /// <exception cref="EventBusException">The change is not valid, or the hub cannot be reached.</exception>
    public Task<int> PublishStateChangeAsync(
        string machineId, MachineStateChange change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(change);
        var name = change.Transition.Length > 0 ? change.Transition : "state-changed";
        var @event = MakeEvent(machineId, "", name, null, null);
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

    private Event MakeEvent(string source, string target, string name, object? payload, EventSendOptions? options)
    {
        var @event = new Event
        {
            Name = name,
            Source = source,
            Target = target,
            Timestamp = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks,
        };
        if (options is not null)
        {
            @event.Id = options.Id ?? "";
            @event.Version = unchecked((uint)options.Version);
            @event.CorrelationId = options.CorrelationId ?? "";
            @event.CausationId = options.CausationId ?? "";
            foreach (var (header, value) in options.Headers ?? System.Collections.Immutable.ImmutableDictionary<string, string>.Empty)
            {
                @event.Headers.Add(new Header { Name = header, Value = value });
            }
        }

        _codecs.EncodeInto(@event, payload);
        return @event;
    }

    private async Task<EventSendResult> SendAsync(Event @event, EventSendOptions options, CancellationToken cancellationToken)
    {
        var timeout = options.Timeout ?? _options.AcknowledgementTimeout;
        var milliseconds = (uint)Math.Clamp(timeout.TotalMilliseconds, 1, int.MaxValue);
        Outcome? outcome;
        if (options.Acknowledgement <= AcknowledgementLevel.Accepted)
        {
            outcome = await SendOnce(@event, options.Acknowledgement, 0, isAttempt: false).WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        else
        {
            var sent = false;
            try
            {
                outcome = await _sendPipeline.ExecuteAsync(
                    async attempt =>
                    {
                        // An event that is in the hands of a connection must not change: each further attempt has its own.
                        var once = sent ? @event.Clone() : @event;
                        sent = true;
                        return await SendOnce(once, options.Acknowledgement, milliseconds, isAttempt: true)
                            .WaitAsync(attempt).ConfigureAwait(false);
                    },
                    cancellationToken).ConfigureAwait(false);
            }
            catch (EventBusException exception)
            {
                ReportFailure(@event, exception);
                throw;
            }
        }

        return outcome is null
            ? new EventSendResult("", null)
            : new EventSendResult(outcome.NewState, outcome.Reply is null ? null : new MachineEvent(outcome.Reply, _codecs));
    }

    // Takes the event's place in the order; nothing before it may wait.
    private Task<Outcome?> SendOnce(Event @event, AcknowledgementLevel level, uint timeoutMilliseconds, bool isAttempt)
    {
        using var activity = EventTracing.Send(@event);
        if (_options.DeliverLocally && _machines.TryGetValue(@event.Target, out var machine))
        {
            return SendLocally(machine, @event, level, timeoutMilliseconds, isAttempt);
        }

        return SendByHub(
            new SessionCommand { Send = @event, Acknowledgement = level, TimeoutMilliseconds = timeoutMilliseconds }, @event, isAttempt);
    }

    private Task<Outcome?> SendByHub(SessionCommand command, Event @event, bool isAttempt)
    {
        var pending = new PendingCommand(command, @event.Payload.Length + @event.Name.Length + CommandOverhead)
        {
            Started = _metrics.MeasuresDuration ? Stopwatch.GetTimestamp() : 0,
            IsAttempt = isAttempt,
        };
        var link = Volatile.Read(ref _link);
        var refused = link is not { HasEnded: false } && _breaker.CircuitState != CircuitState.Closed
            ? new EventBusException(StatusCode.Unavailable, "The hub cannot be reached, again and again. The event was not sent.")
            : _queue.TryAdd(pending);
        if (refused is not null)
        {
            if (!isAttempt)
            {
                ReportFailure(@event, refused);
            }

            pending.TrySetException(refused);
            _ = pending.Task.Exception;
            return pending.Task;
        }

        link?.Wake();
        return pending.Task;
    }

    private Task<Outcome?> SendLocally(
        EventReceiver machine, Event @event, AcknowledgementLevel level, uint timeoutMilliseconds, bool isAttempt)
    {
        foreach (var observer in Volatile.Read(ref _observers))
        {
            if (EventFilters.Matches(observer.Subscription, @event))
            {
                _ = observer.PutLocal(@event, AcknowledgementLevel.Accepted);
            }
        }

        var sending = machine.PutLocal(@event, level);
        _metrics.Sent(null);
        if (sending.IsCompletedSuccessfully)
        {
            return sending;
        }

        var milliseconds = timeoutMilliseconds > 0 ? timeoutMilliseconds : (long)_options.AcknowledgementTimeout.TotalMilliseconds;
        return WaitLocallyAsync(sending, @event, TimeSpan.FromMilliseconds(milliseconds), isAttempt);
    }

    private async Task<Outcome?> WaitLocallyAsync(Task<Outcome?> sending, Event @event, TimeSpan timeout, bool isAttempt)
    {
        EventBusException failure;
        try
        {
            return await sending.WaitAsync(timeout).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            failure = new EventBusException(
                StatusCode.DeadlineExceeded, $"The machine '{@event.Target}' did not acknowledge the event in time.", @event.Target);
        }
        catch (EventBusException exception)
        {
            failure = exception;
        }

        if (!isAttempt)
        {
            ReportFailure(@event, failure);
        }

        throw failure;
    }

    private void Answer(PendingCommand command, Outcome? outcome)
    {
        if (command.IsSend)
        {
            _queue.SendAnswered();
        }

        if (outcome is { StatusCode: not 0 })
        {
            Refuse(command, ToException(command, outcome));
            return;
        }

        if (command.IsSend)
        {
            _metrics.Sent(null);
            _metrics.SendTook(command.Started, null);
        }

        command.Receiver?.Stand();
        command.TrySetResult(outcome);
    }

    // After a lost connection "it is not there" is only half of the truth: the event may have arrived before. A pipeline
    // that takes it for never delivered would have it handled twice.
    private static EventBusException ToException(PendingCommand command, Outcome outcome) =>
        command.IsRepeated && (StatusCode)outcome.StatusCode is StatusCode.NotFound or StatusCode.ResourceExhausted
            ? new EventBusException(
                StatusCode.Unavailable,
                $"The connection was lost before the event was answered, which may have been handled; now: {outcome.Message}",
                outcome.MachineId)
            : new EventBusException((StatusCode)outcome.StatusCode, outcome.Message, outcome.MachineId);

    // For commands that the hub does not answer any more.
    private void Fail(PendingCommand command, EventBusException exception)
    {
        if (command.IsSend)
        {
            _queue.SendAnswered();
        }

        Refuse(command, exception);
    }

    private void Refuse(PendingCommand command, EventBusException exception)
    {
        if (command.IsSend)
        {
            if (!command.IsAttempt)
            {
                ReportFailure(command.Command.Send ?? command.Command.Publish.Event, exception);
            }

            _metrics.SendTook(command.Started, exception);
        }

        if (command is { IsRestoring: true, Receiver: { } receiver })
        {
            Remove(receiver);
            receiver.End(exception);
            _logger.MachineLost(receiver.Name, exception.Message);
            Raise(MachineLost, new MachineLoss(receiver.Name, exception));
        }

        command.TrySetException(exception);

        // Reported already: it is no error of the program's that nobody looked at this task.
        _ = command.Task.Exception;
    }

    private void ReportFailure(Event @event, EventBusException exception)
    {
        _metrics.Sent(exception);
        _logger.SendFailed(@event.Name, @event.Source, @event.Target, exception.Message);
        Raise(SendFailed, new EventSendFailure(@event.Source, @event.Target, @event.Name, exception));
    }
}
