using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>The spans and metrics of events that a client, or the hub's own process, sends and handles.</summary>
/// <remarks>
/// Listeners to spans and metrics are foreign code. An exception of a listener must not end a session or a receiver,
/// nor keep a sender waiting: it is logged, and the event goes on as if there were no listener.
/// </remarks>
internal sealed class EventInstruments(MessagingMetrics metrics, RaisedEvents events)
{
    /// <summary>The time, if anybody measures how long sends take; else zero.</summary>
    public long Now => metrics.MeasuresDuration ? Stopwatch.GetTimestamp() : 0;

    /// <summary>
    /// Begins the span of a send or a publication. The caller's own span stays the current one: this one lasts until
    /// the answer is there (<see cref="EndSpan"/>), on whatever thread that is.
    /// </summary>
    /// <param name="event">The event.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="context">The trace context, which the event has to carry.</param>
    public Activity? BeginSending(in TracedEvent @event, in MessagingOperation operation, out TraceContext context)
    {
        var current = Activity.Current;
        Activity? activity = null;
        if (EventTracing.HasListeners)
        {
            try
            {
                activity = EventTracing.CreateSending(@event, operation);
                activity?.Start();
            }
            catch (Exception thrown)
            {
                events.TellOfFailedListener(thrown);
            }
            finally
            {
                Activity.Current = current;
            }
        }

        context = EventTracing.ContextOf(activity ?? current);
        return activity;
    }

    /// <summary>Ends the span of a send or a publication.</summary>
    public void EndSpan(Activity? activity, StatusCode failure, string? message)
    {
        if (activity is null)
        {
            return;
        }

        var current = Activity.Current;
        Stop(activity, failure, message);
        Activity.Current = current;
    }

    /// <summary>Counts an attempt to send or publish.</summary>
    public void CountSend(in MessagingOperation operation, StatusCode failure)
    {
        try
        {
            metrics.CountSend(operation, failure);
        }
        catch (Exception thrown)
        {
            events.TellOfFailedListener(thrown);
        }
    }

    /// <summary>Records how long a send took.</summary>
    /// <param name="started">When it began, by <see cref="Now"/>; zero if its duration says nothing.</param>
    /// <param name="operation">The operation.</param>
    /// <param name="failure">How it failed, if it did.</param>
    public void RecordSendDuration(long started, in MessagingOperation operation, StatusCode failure)
    {
        try
        {
            metrics.RecordSendDuration(started, operation, failure);
        }
        catch (Exception thrown)
        {
            events.TellOfFailedListener(thrown);
        }
    }

    /// <summary>
    /// Begins the span of the handling of an event, as a child of its send, and makes it the current one.
    /// </summary>
    public HandlingScope BeginHandling(Event @event) => BeginHandling(new EventView(@event));

    /// <summary>
    /// Begins the span of the handling of an event, as a child of its send, and makes it the current one.
    /// </summary>
    public HandlingScope BeginHandling(BusEvent received) => BeginHandling(received.View);

    /// <summary>Ends the span of the handling of an event, and measures it.</summary>
    /// <param name="scope">The handling.</param>
    /// <param name="target">The machine that handled the event; empty if it was none.</param>
    /// <param name="failure">Why the handling failed; none if it did not.</param>
    public void EndHandling(HandlingScope scope, string target, string? failure)
    {
        try
        {
            metrics.RecordHandling(scope.Started, target, failure is not null);
        }
        catch (Exception thrown)
        {
            events.TellOfFailedListener(thrown);
        }

        if (scope.Activity is { } activity)
        {
            Stop(activity, failure is null ? StatusCode.OK : StatusCode.Unknown, failure);
        }
    }

    private HandlingScope BeginHandling(in EventView @event)
    {
        Activity? activity = null;
        if (EventTracing.HasListeners)
        {
            try
            {
                activity = EventTracing.CreateHandling(@event);
                activity?.Start();
            }
            catch (Exception thrown)
            {
                events.TellOfFailedListener(thrown);
            }
        }

        return new HandlingScope(activity, metrics.MeasuresProcessing ? Stopwatch.GetTimestamp() : 0);
    }

    private void Stop(Activity activity, StatusCode failure, string? message)
    {
        try
        {
            EventTracing.SetFailure(activity, failure, message);
            activity.Stop();
        }
        catch (Exception thrown)
        {
            events.TellOfFailedListener(thrown);
        }
    }
}
