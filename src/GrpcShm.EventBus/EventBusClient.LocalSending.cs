using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// Events between machines of this client: they never leave the process.
public sealed partial class EventBusClient
{
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

        var started = _metrics.MeasuresDuration ? Stopwatch.GetTimestamp() : 0;
        var sending = machine.PutLocal(@event, level);
        if (sending.IsCompletedSuccessfully)
        {
            _metrics.Sent(@event.Target, StatusCode.OK);
            _metrics.SendTook(started, @event.Target, StatusCode.OK);
            return sending;
        }

        var milliseconds = timeoutMilliseconds > 0 ? timeoutMilliseconds : (long)_options.AcknowledgementTimeout.TotalMilliseconds;
        return WaitLocallyAsync(sending, @event, TimeSpan.FromMilliseconds(milliseconds), started, isAttempt);
    }

    private async Task<Outcome?> WaitLocallyAsync(
        Task<Outcome?> sending, Event @event, TimeSpan timeout, long started, bool isAttempt)
    {
        EventBusException failure;
        try
        {
            var outcome = await sending.WaitAsync(timeout).ConfigureAwait(false);
            _metrics.Sent(@event.Target, StatusCode.OK);
            _metrics.SendTook(started, @event.Target, StatusCode.OK);
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

        _metrics.SendTook(started, @event.Target, failure.StatusCode);
        if (!isAttempt)
        {
            ReportFailure(@event, failure);
        }

        throw failure;
    }
}
