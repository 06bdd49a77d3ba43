using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Says of each send and publication how it ended: to traces, to metrics, and to the sender's listeners if it failed.
/// </summary>
internal sealed class SendReports(EventInstruments instruments, RaisedEvents events)
{
    /// <summary>When a send begins, for the metrics; zero if nobody measures.</summary>
    public long Now => instruments.Now;

    /// <summary>Begins the span of a send or a publication, if anybody traces.</summary>
    /// <param name="event">The event.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="context">The trace context, which the event has to carry.</param>
    public Activity? Begin(in NewEvent @event, in MessagingOperation operation, out TraceContext context) =>
        instruments.BeginSending(@event.Traced, operation, out context);

    /// <summary>
    /// Begins the span of a send or a publication, if anybody traces. The message gets the trace context.
    /// </summary>
    public Activity? Begin(Event @event, in MessagingOperation operation)
    {
        var activity = instruments.BeginSending(TracedEvent.Of(@event), operation, out var context);
        EventTracing.PutContext(@event, context);
        return activity;
    }

    /// <summary>
    /// Reports the end of a send. Called once for each, and once more for the last of a pipeline's attempts.
    /// </summary>
    /// <param name="activity">The send's span, if anybody traces.</param>
    /// <param name="started">When it began, by <see cref="Now"/>; zero if its duration says nothing.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="names">The names of the event.</param>
    /// <param name="failure">Why it failed, or none.</param>
    /// <param name="isAttempt">Whether a pipeline may try again. Then no listener is told of the failure yet.</param>
    public void Tell(
        Activity? activity,
        long started,
        in MessagingOperation operation,
        in EventNames names,
        EventBusException? failure,
        bool isAttempt = false)
    {
        var code = failure?.StatusCode ?? StatusCode.OK;
        instruments.EndSpan(activity, code, failure?.Message);
        if (failure is null || !isAttempt)
        {
            instruments.CountSend(operation, code);
        }

        if (failure is not null && !isAttempt)
        {
            events.TellOfFailedSend(names, failure);
        }

        instruments.RecordSendDuration(started, operation, code);
    }

    /// <summary>Reports the end of a send of which there is the message.</summary>
    public void Tell(
        Activity? activity,
        long started,
        in MessagingOperation operation,
        Event @event,
        EventBusException? failure,
        bool isAttempt = false) =>
        Tell(activity, started, operation, EventNames.Of(@event), failure, isAttempt);

    /// <summary>Ends the span of an event that could not be encoded. The sender's task tells why.</summary>
    public void EndUnsent(Activity? activity, Exception reason) =>
        instruments.EndSpan(activity, StatusCode.Internal, reason.Message);

    /// <summary>
    /// Reports a send that was taken back because its caller gave up. The caller knows it, so no listener is told.
    /// </summary>
    public void TellOfGivenUp(Activity? activity, in MessagingOperation operation, OperationCanceledException reason)
    {
        instruments.EndSpan(activity, StatusCode.Cancelled, reason.Message);
        instruments.CountSend(operation, StatusCode.Cancelled);
    }
}
