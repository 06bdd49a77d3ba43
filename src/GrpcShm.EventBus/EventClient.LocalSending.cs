using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// Events between machines of this client: they never leave the process.
public sealed partial class EventClient
{
    private Task<Outcome?> SendLocally(
        EventReceiver machine, Event @event, AcknowledgementLevel level, uint timeoutMilliseconds, bool isAttempt, ClientWait? wait)
    {
        var operation = MessagingOperation.Send(@event.Target);
        var activity = EventTracing.Begin(@event, operation);
        var circle = wait is null ? null : _waits.BeginLocal(wait);
        foreach (var observer in circle is null ? Volatile.Read(ref _observers) : [])
        {
            if (observer.Filter.Matches(@event))
            {
                _ = observer.PutLocal(@event, AcknowledgementLevel.Accepted);
            }
        }

        var started = _metrics.MeasuresDuration ? Stopwatch.GetTimestamp() : 0;
        var sending = circle is null ? machine.PutLocal(@event, level, wait) : Task.FromException<Outcome?>(circle);
        if (sending.IsCompletedSuccessfully)
        {
            EventTracing.End(activity, StatusCode.OK, null);
            _metrics.Sent(operation, StatusCode.OK);
            _metrics.SendTook(started, operation, StatusCode.OK);
            return sending;
        }

        var milliseconds = timeoutMilliseconds > 0 ? timeoutMilliseconds : (long)_options.AcknowledgementTimeout.TotalMilliseconds;
        var waiting = WaitLocallyAsync(sending, @event, TimeSpan.FromMilliseconds(milliseconds), started, activity, isAttempt);

        // Its failure is reported: it is no error of the program's that nobody looked at this task.
        _ = waiting.ContinueWith(
            static failed => failed.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return waiting;
    }

    // Under the lock of the waits, so that the hub is told in the order in which things happened.
    private void TellOfWait(SessionCommand command, ClientWait? wait)
    {
        // Without a connection there is nobody to tell: the queue refuses it.
        _ = _queue.TryAdd(new PendingCommand(command, CommandOverhead) { Wait = wait });
    }

    private async Task<Outcome?> WaitLocallyAsync(
        Task<Outcome?> sending, Event @event, TimeSpan timeout, long started, Activity? activity, bool isAttempt)
    {
        var operation = MessagingOperation.Send(@event.Target);
        EventBusException failure;
        try
        {
            var outcome = await sending.WaitAsync(timeout).ConfigureAwait(false);
            EventTracing.End(activity, StatusCode.OK, null);
            _metrics.Sent(operation, StatusCode.OK);
            _metrics.SendTook(started, operation, StatusCode.OK);
            return outcome;
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

        EventTracing.End(activity, failure.StatusCode, failure.Message);
        _metrics.SendTook(started, operation, failure.StatusCode);
        if (!isAttempt)
        {
            ReportFailure(@event, operation, failure);
        }

        return IsTold(failure, isAttempt, HandlerFlow.IsInside) ? Left(failure) : throw failure;
    }
}
