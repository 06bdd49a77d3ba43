using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Diagnostics;
using Microsoft.Extensions.Logging;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Says of each send and publication how it ended: to traces, to metrics, and to the client's listeners if it failed.
/// </summary>
internal sealed class SendReports(MessagingMetrics metrics, ClientEvents events, ILogger logger)
{
    /// <summary>When a send begins, for the metrics; zero if nobody measures.</summary>
    public long Now => metrics.MeasuresDuration ? Stopwatch.GetTimestamp() : 0;

    /// <summary>
    /// Reports the end of a send. Called once for each, and once more for the last of a pipeline's attempts.
    /// </summary>
    /// <param name="activity">What stands for it in traces, if anybody traces.</param>
    /// <param name="started">When it began, by <see cref="Now"/>; zero if its duration says nothing.</param>
    /// <param name="operation">What was done.</param>
    /// <param name="event">The event.</param>
    /// <param name="failure">Why it failed, or none.</param>
    /// <param name="isAttempt">Whether a pipeline may try again: then the failure is not told of yet.</param>
    public void Tell(
        Activity? activity,
        long started,
        in MessagingOperation operation,
        Event @event,
        EventBusException? failure,
        bool isAttempt = false)
    {
        try
        {
            var code = failure?.StatusCode ?? StatusCode.OK;
            EventTracing.End(activity, code, failure?.Message);
            if (failure is null || !isAttempt)
            {
                metrics.Sent(operation, code);
            }

            if (failure is not null && !isAttempt)
            {
                events.TellOfFailedSend(@event, failure);
            }

            metrics.SendTook(started, operation, code);
        }
        catch (Exception thrown)
        {
            // Those who listen to traces and metrics are foreign code. What they throw must not keep whoever waits for
            // the send waiting, nor end the session.
            logger.ListenerFailed(thrown);
        }
    }
}
