using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Routing;
using Polly.CircuitBreaker;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// Sends and requests.
public sealed partial class EventClient
{
    // What surrounds an event's payload and ids, roughly.
    private const int CommandOverhead = 64;

    /// <summary>
    /// Sends an event from one machine to another. It has taken its place in the order when this method returns its task,
    /// which completes when the event is in the target's mailbox.
    /// </summary>
    /// <remarks>
    /// A send whose answer cannot come any more because this client has been disposed of does not fail: its task completes, and
    /// <see cref="SendFailed"/> tells what became of it. So an <c>async void</c> method that awaits it does not end the process. In
    /// the flow of a handler that also holds for sends that begin afterwards, and after <see cref="DisconnectAsync"/>.
    /// </remarks>
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
    /// <exception cref="ObjectDisposedException">The client has been disposed of, and this is not the flow of a handler.</exception>
    public Task SendEventAsync(string sourceMachineId, string targetMachineId, string eventName, object? payload = null)
    {
        ArgumentNullException.ThrowIfNull(sourceMachineId);
        ArgumentNullException.ThrowIfNull(targetMachineId);
        ArgumentNullException.ThrowIfNull(eventName);
        Event @event;
        try
        {
            ThrowIfDisposed();
            @event = MakeEvent(sourceMachineId, targetMachineId, eventName, payload, null);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return Task.FromException(exception);
        }

        return SendOnce(@event, AcknowledgementLevel.Accepted, 0, isAttempt: false);
    }

    /// <summary>As <see cref="SendEventAsync(string, string, string, object?)"/>, for a caller that may give up waiting.</summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">
    /// Gives up waiting. The event is not taken back; but if this is cancelled already, it is not sent.
    /// </param>
    /// <exception cref="EventBusException">As for the other overload.</exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task SendEventAsync(
        string sourceMachineId, string targetMachineId, string eventName, object? payload, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested
            ? Task.FromCanceled(cancellationToken)
            : SendEventAsync(sourceMachineId, targetMachineId, eventName, payload).WaitAsync(cancellationToken);

    /// <summary>Sends an event from one machine to another, and waits until it has come as far as the options say.</summary>
    /// <param name="sourceMachineId">The machine that sends; may be empty.</param>
    /// <param name="targetMachineId">The machine that the event is for, of this process or any other.</param>
    /// <param name="eventName">What happened.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="options">How far the event must come, and what it carries.</param>
    /// <param name="cancellationToken">
    /// Gives up waiting. The event is not taken back; but if this is cancelled already, it is not sent.
    /// </param>
    /// <returns>The target's new state, and its reply, where these were waited for.</returns>
    /// <exception cref="EventBusException">
    /// As for the other overload; besides, the acknowledgement did not come in time (<c>DeadlineExceeded</c>), the target died
    /// before it came (<c>Unavailable</c>), its mailbox dropped the event (<c>Aborted</c>), or its handler failed (<c>Unknown</c>).
    /// Not if the client was disconnected or disposed of meanwhile and nobody waits for the flow any more that this send belongs
    /// to (an <c>async void</c> method that a handler left behind): then <see cref="EventSendResult.Failure"/> says it.
    /// </exception>
    /// <exception cref="NotSupportedException">The payload cannot be encoded.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of, and this is not the flow of a handler.</exception>
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
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfDisposed();
        return SendAsync(MakeEvent(sourceMachineId, targetMachineId, eventName, payload, options), options, cancellationToken);
    }

    /// <summary>Sends a request and waits for the reply, which the target's handler gives by <see cref="BusEvent.Reply"/>.</summary>
    /// <param name="sourceMachineId">The machine that asks; may be empty.</param>
    /// <param name="targetMachineId">The machine that is asked.</param>
    /// <param name="eventName">What is asked.</param>
    /// <param name="payload">What goes along, or <see langword="null"/>.</param>
    /// <param name="timeout">How long to wait, or <see langword="null"/> for the client's default.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="EventBusException">
    /// The target is unknown (<c>NotFound</c>), died (<c>Unavailable</c>), did not reply in time (<c>DeadlineExceeded</c>), failed
    /// (<c>Unknown</c>), or handled the request without a reply (<c>Internal</c>); or the client was disconnected or disposed of
    /// meanwhile (<c>Unavailable</c>), wherever the request was made: there is no reply to go on with.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of, and this is not the flow of a handler.</exception>
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
        var result = await SendEventAsync(sourceMachineId, targetMachineId, eventName, payload, options, cancellationToken)
            .ConfigureAwait(false);
        return result.Failure is null ? result.Reply! : throw result.Failure;
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
                        var wait = options.Acknowledgement > AcknowledgementLevel.Delivered ? _waits.Make(once.Target) : null;
                        try
                        {
                            return await SendOnce(once, options.Acknowledgement, milliseconds, isAttempt: true, wait)
                                .WaitAsync(attempt).ConfigureAwait(false);
                        }
                        finally
                        {
                            wait?.End();
                        }
                    },
                    cancellationToken).ConfigureAwait(false);
            }
            catch (EventBusException exception)
            {
                ReportFailure(@event, MessagingOperation.Send(@event.Target), exception);
                if (exception.IsEndedByOwner && HandlerFlow.IsLeftBehind)
                {
                    return new EventSendResult("", null) { Failure = exception };
                }

                throw;
            }
        }

        if (outcome is null or { StatusCode: not 0 })
        {
            return new EventSendResult("", null) { Failure = outcome is null ? null : Disconnected(null) };
        }

        return new EventSendResult(outcome.NewState, outcome.Reply is null ? null : new BusEvent(outcome.Reply, _codecs));
    }

    // Takes the event's place in the order; nothing before it may wait.
    private Task<Outcome?> SendOnce(Event @event, AcknowledgementLevel level, uint timeoutMilliseconds, bool isAttempt, ClientWait? wait = null)
    {
        if (_options.DeliverLocally && _machines.TryGetValue(@event.Target, out var machine))
        {
            return SendLocally(machine, @event, level, timeoutMilliseconds, isAttempt, wait);
        }

        var command = new SessionCommand { Send = @event, Acknowledgement = level, TimeoutMilliseconds = timeoutMilliseconds };
        if (wait is not null)
        {
            command.Waiting = ClientWaits.ToMessage(wait);
            _waits.BeginOutside(wait);
        }

        return SendByHub(command, @event, isAttempt, wait);
    }

    private Task<Outcome?> SendByHub(SessionCommand command, Event @event, bool isAttempt, ClientWait? wait = null)
    {
        var operation = command.Send is null ? MessagingOperation.Publish(command.Publish) : MessagingOperation.Send(@event.Target);
        var activity = EventTracing.Begin(@event, operation);
        var pending = new PendingCommand(command, @event.Payload.Length + @event.Name.Length + CommandOverhead)
        {
            Started = _metrics.MeasuresDuration ? Stopwatch.GetTimestamp() : 0,
            IsAttempt = isAttempt,
            IsInHandler = HandlerFlow.IsInside,
            Activity = activity,
            Wait = wait,
        };
        var link = Volatile.Read(ref _link);
        var refused = link is not { HasEnded: false } && _breaker.CircuitState != CircuitState.Closed
            ? new EventBusException(StatusCode.Unavailable, "The hub cannot be reached, again and again. The event was not sent.")
            : _queue.TryAdd(pending);
        if (refused is not null)
        {
            EventTracing.End(activity, refused.StatusCode, refused.Message);
            if (!isAttempt)
            {
                ReportFailure(@event, operation, refused);
            }

            if (IsTold(refused, isAttempt, pending.IsInHandler))
            {
                return Task.FromResult<Outcome?>(Left(refused));
            }

            pending.TrySetException(refused);
            _ = pending.Task.Exception;
            return pending.Task;
        }

        link?.Wake();
        return pending.Task;
    }
}
