using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Diagnostics;
using Polly.CircuitBreaker;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Gives an event its place in the order: in the queue to the hub, or, if it is for a machine of this client, in that
/// machine's queue. Nothing before that may wait.
/// </summary>
internal sealed class EventDispatcher(
    EventBusClientOptions options,
    ReceiverTable receivers,
    CommandQueue queue,
    CurrentSession session,
    ClientWaits waits,
    CircuitBreakerStateProvider breaker,
    SendReports reports,
    ClientEnd end)
{
    /// <summary>Sends an event to its target.</summary>
    /// <returns>What completes when it has come as far as was asked, with what the target said, if anything.</returns>
    /// <param name="event">The event. It must not be changed afterwards.</param>
    /// <param name="level">How far it must come.</param>
    /// <param name="timeoutMilliseconds">How long that may take; zero for the default.</param>
    /// <param name="isAttempt">
    /// Whether a pipeline may try again: then the failure is told of by whoever runs it.
    /// </param>
    /// <param name="wait">What the handler that sends it waits by; or none.</param>
    public Task<Outcome?> Send(
        Event @event, AcknowledgementLevel level, uint timeoutMilliseconds, bool isAttempt, ClientWait? wait = null)
    {
        if (options.DeliverLocally && receivers.TryGetMachine(@event.Target, out var machine))
        {
            return SendLocally(machine, @event, level, timeoutMilliseconds, isAttempt, wait);
        }

        var command = new SessionCommand
        {
            Send = @event, Acknowledgement = level, TimeoutMilliseconds = timeoutMilliseconds,
        };
        if (wait is not null)
        {
            command.Waiting = ClientWaits.ToMessage(wait);
            waits.BeginOutside(wait);
        }

        return SendByHub(command, @event, MessagingOperation.Send(@event.Target), isAttempt, wait);
    }

    /// <summary>Publishes an event, which always goes by the hub.</summary>
    public Task<Outcome?> Publish(Publication publication) => SendByHub(
        new SessionCommand { Publish = publication },
        publication.Event,
        MessagingOperation.Publish(publication),
        isAttempt: false,
        wait: null);

    private Task<Outcome?> SendByHub(
        SessionCommand command, Event @event, in MessagingOperation operation, bool isAttempt, ClientWait? wait)
    {
        var activity = EventTracing.Begin(@event, operation);
        var pending = new PendingCommand(command, @event.Payload.Length + @event.Name.Length + PendingCommand.Overhead)
        {
            Started = reports.Now,
            IsAttempt = isAttempt,
            IsInHandler = HandlerFlow.IsInside,
            Activity = activity,
            Wait = wait,
        };
        var link = session.Link;
        var refused = link is not { HasEnded: false } && breaker.CircuitState != CircuitState.Closed
            ? new EventBusException(
                StatusCode.Unavailable, "The hub cannot be reached, again and again. The event was not sent.")
            : queue.TryAdd(pending);
        if (refused is null)
        {
            link?.Wake();
            return pending.Task;
        }

        reports.Tell(activity, started: 0, operation, @event, refused, isAttempt);
        if (end.IsTold(refused, isAttempt, pending.IsInHandler))
        {
            return Task.FromResult<Outcome?>(ClientEnd.Left(refused));
        }

        pending.TrySetException(refused);
        _ = pending.Task.Exception;
        return pending.Task;
    }

    // It never leaves the process.
    private Task<Outcome?> SendLocally(
        EventReceiver machine,
        Event @event,
        AcknowledgementLevel level,
        uint timeoutMilliseconds,
        bool isAttempt,
        ClientWait? wait)
    {
        var operation = MessagingOperation.Send(@event.Target);
        var activity = EventTracing.Begin(@event, operation);
        var circle = wait is null ? null : waits.BeginLocal(wait);
        foreach (var observer in circle is null ? receivers.Observers : [])
        {
            if (observer.Filter.Matches(@event))
            {
                _ = observer.PutLocal(@event, AcknowledgementLevel.Accepted);
            }
        }

        var started = reports.Now;
        var sending = circle is null ? machine.PutLocal(@event, level, wait) : Task.FromException<Outcome?>(circle);
        if (sending.IsCompletedSuccessfully)
        {
            reports.Tell(activity, started, operation, @event, failure: null);
            return sending;
        }

        var timeout = timeoutMilliseconds > 0
            ? TimeSpan.FromMilliseconds(timeoutMilliseconds)
            : options.AcknowledgementTimeout;
        var waiting = WaitLocallyAsync(sending, @event, timeout, started, activity, isAttempt);

        // Its failure is reported: it is no error of the program's that nobody looked at this task.
        _ = waiting.ContinueWith(
            static failed => failed.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return waiting;
    }

    private async Task<Outcome?> WaitLocallyAsync(
        Task<Outcome?> sending, Event @event, TimeSpan timeout, long started, Activity? activity, bool isAttempt)
    {
        var operation = MessagingOperation.Send(@event.Target);
        EventBusException failure;
        try
        {
            var outcome = await sending.WaitAsync(timeout).ConfigureAwait(false);
            reports.Tell(activity, started, operation, @event, failure: null);
            return outcome;
        }
        catch (TimeoutException)
        {
            failure = new EventBusException(
                StatusCode.DeadlineExceeded,
                $"The machine '{@event.Target}' did not acknowledge the event in time.",
                @event.Target);
        }
        catch (EventBusException exception)
        {
            failure = exception;
        }

        reports.Tell(activity, started, operation, @event, failure, isAttempt);
        return end.IsTold(failure, isAttempt, HandlerFlow.IsInside) ? ClientEnd.Left(failure) : throw failure;
    }
}
