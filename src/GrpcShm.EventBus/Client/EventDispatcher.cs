using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using Polly.CircuitBreaker;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Gives an event of a client its place in the order: in the queue to the hub or, if it is for a machine of this
/// client, in that machine's queue. No code that runs before may wait.
/// </summary>
internal sealed class EventDispatcher(
    EventBusClientOptions options,
    ReceiverTable receivers,
    CommandQueue queue,
    CurrentSession session,
    ClientWaits waits,
    CircuitBreakerStateProvider breaker,
    ConnectFailures failures,
    SendReports reports,
    ClientEnd end,
    ClientLanes? lanes)
    : IEventDispatcher
{
    public Task<Outcome?> Send(in NewEvent @event, AcknowledgementLevel level, CancellationToken cancellationToken) =>
        Send(@event, level, 0, isAttempt: false, wait: null).WaitAsync(cancellationToken);

    public async Task<Outcome?> AttemptSendAsync(
        NewEvent @event, AcknowledgementLevel level, uint timeoutMilliseconds, CancellationToken cancellationToken)
    {
        var wait = level > AcknowledgementLevel.Delivered ? waits.Make(@event.Target) : null;
        try
        {
            return await Send(@event, level, timeoutMilliseconds, isAttempt: true, wait)
                .WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            wait?.End();
        }
    }

    /// <summary>Publishes an event, which always goes by the hub.</summary>
    public Task<Outcome?> Publish(
        in NewEvent @event, Publication publication, CancellationToken cancellationToken)
    {
        var operation = MessagingOperation.Publish(publication);
        var started = reports.Now;
        var activity = reports.Begin(@event, operation, out var context);
        var pending = Make(@event, context, activity, isPlain: false);
        pending.Publication = publication;
        pending.Started = started;
        pending.IsInHandler = HandlerFlow.IsInside;
        pending.Activity = activity;
        return SendByHub(pending, session.Link).WaitAsync(cancellationToken);
    }

    private Task<Outcome?> Send(
        in NewEvent @event, AcknowledgementLevel level, uint timeoutMilliseconds, bool isAttempt, ClientWait? wait)
    {
        if (options.DeliverLocally && receivers.TryGetMachine(@event.Target, out var machine))
        {
            return SendLocally(machine, @event.ToMessage(), level, timeoutMilliseconds, isAttempt, wait);
        }

        if (wait is not null)
        {
            waits.BeginOutside(wait);
        }

        var started = reports.Now;
        var activity = reports.Begin(@event, MessagingOperation.Send(@event.Target), out var context);
        var link = session.Link;
        var isBounded = timeoutMilliseconds > 0;
        var isPlain = level <= AcknowledgementLevel.Accepted && !isBounded && !isAttempt && wait is null;
        var pending = Make(@event, context, activity, isPlain);
        pending.Level = level;
        pending.Started = started;
        pending.IsInHandler = HandlerFlow.IsInside;
        pending.Activity = activity;
        if (!isPlain)
        {
            pending.TimeoutMilliseconds = timeoutMilliseconds;
            pending.Waiting = wait is null ? null : ClientWaits.ToMessage(wait);
            pending.Deadline = isBounded ? Environment.TickCount64 + timeoutMilliseconds : 0;
            pending.IsWatched = isBounded && link is null or { HasEnded: true };
            pending.IsAttempt = isAttempt;
            pending.Wait = wait;
        }

        return SendByHub(pending, link);
    }

    private PendingEvent Make(in NewEvent @event, in TraceContext context, Activity? activity, bool isPlain)
    {
        try
        {
            return isPlain
                ? PendingEvent.Take(@event, context)
                : new PendingEvent(@event.Names, EventEncoder.Encode(@event, context, []));
        }
        catch (Exception exception)
        {
            // Nobody else would end the span.
            reports.EndUnsent(activity, exception);
            throw;
        }
    }

    private Task<Outcome?> SendByHub(PendingEvent pending, SessionLink? link)
    {
        // Without a link the first session is still to come. A program's first sends wait for it: the hub's process may
        // start later than this one.
        var wakesHub = false;
        RouteEffects? effects = null;

        // Read before: once it is in the queue, it may be answered at once, and be another send after that.
        var (task, timeout, target) = (pending.Task, pending.TimeoutMilliseconds, pending.Names.Target);
        var refused = link is { HasEnded: true } && breaker.CircuitState != CircuitState.Closed
            ? MakeRefusal()
            : queue.TryAdd(pending, out wakesHub, out effects);
        if (refused is null)
        {
            if (effects is not null)
            {
                lanes!.Run(effects);
            }

            if (wakesHub)
            {
                // Of the session of now: the first one may have begun meanwhile, and found nothing to write.
                session.Wake();
            }

            // If the session ends after this, its end finds the command, in the queue or written, and watches the
            // deadline from then on.
            return timeout > 0 && link is null or { HasEnded: true }
                ? WaitForASessionAsync(task, target, timeout)
                : task;
        }

        reports.Tell(pending.Activity, started: 0, pending.Operation, pending.Names, refused, pending.IsAttempt);
        if (end.IsToldByEventsAlone(refused, pending.IsAttempt, pending.IsInHandler))
        {
            return Task.FromResult<Outcome?>(ClientEnd.MakeLeftOutcome(refused));
        }

        return ReportedFailures.ToTask(refused);
    }

    // The hub counts the time for an acknowledgement, from when it has the event. Until there is a hub, this does.
    private async Task<Outcome?> WaitForASessionAsync(Task<Outcome?> sending, string target, uint milliseconds)
    {
        try
        {
            return await ReportedFailures.Observe(sending)
                .WaitAsync(TimeSpan.FromMilliseconds(milliseconds)).ConfigureAwait(false);
        }
        catch (TimeoutException) when (session.Link is null or { HasEnded: true })
        {
            throw new EventBusException(
                StatusCode.DeadlineExceeded,
                $"There was no connection to the hub in time for the event to '{target}'. The event still waits for "
                + $"one. {MakeReason()}",
                target,
                HubFailure.CauseOf(failures.Last));
        }
        catch (TimeoutException)
        {
            throw Verdict.TooLate(target).ToBusException();
        }
    }

    private EventBusException MakeRefusal() => new(
        StatusCode.Unavailable,
        $"The last attempts to reach the hub failed. The event was not sent. {MakeReason()}",
        null,
        HubFailure.CauseOf(failures.Last));

    private string MakeReason() =>
        failures.Reason is { } reason ? $"The last failure was: {reason}" : "Is the hub's process running?";

    // The event never leaves the process.
    private Task<Outcome?> SendLocally(
        EventReceiver machine,
        Event @event,
        AcknowledgementLevel level,
        uint timeoutMilliseconds,
        bool isAttempt,
        ClientWait? wait)
    {
        var operation = MessagingOperation.Send(@event.Target);
        var activity = reports.Begin(@event, operation);
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
        return ReportedFailures.Observe(WaitLocallyAsync(sending, @event, timeout, started, activity, isAttempt));
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
            failure = Verdict.TooLate(@event.Target).ToBusException();
        }
        catch (EventBusException exception)
        {
            failure = exception;
        }

        reports.Tell(activity, started, operation, @event, failure, isAttempt);
        return end.IsToldByEventsAlone(failure, isAttempt, HandlerFlow.IsInside)
            ? ClientEnd.MakeLeftOutcome(failure)
            : throw failure;
    }
}
