using System.Diagnostics;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Local;

/// <summary>Brings the events of the hub's own process on their way, without a connection.</summary>
internal sealed class LocalDispatcher(HubCore hub, PendingSends pendingSends, SendReports reports) : IEventDispatcher
{
    private readonly HubOrigin _origin = new();

    // Taken while it is in use: a second sender at the same moment makes its own.
    private RoutingContext? _context;

    public Task<Outcome?> Send(in NewEvent sent, AcknowledgementLevel level, CancellationToken cancellationToken)
    {
        var @event = sent.ToMessage();
        var operation = MessagingOperation.Send(@event.Target);
        var activity = reports.Begin(@event, operation);
        var started = reports.Now;
        var verdict = Check(level);
        if (verdict.IsOk)
        {
            var context = TakeContext();
            verdict = hub.Router.Send(new MessageEvent(@event), null, _origin, context);
            if (context.MustWait)
            {
                return ReportedFailures.Observe(
                    SendWhenThereIsRoomAsync(@event, verdict, context, started, activity, cancellationToken));
            }

            GiveBack(context);
        }

        var failure = verdict.IsOk ? null : verdict.ToBusException();
        reports.Tell(activity, started, operation, @event, failure);
        return failure is null ? Outcomes.Succeeded : ReportedFailures.ToTask(failure);
    }

    public async Task<Outcome?> AttemptSendAsync(
        NewEvent sent, AcknowledgementLevel level, uint timeoutMilliseconds, CancellationToken cancellationToken)
    {
        var @event = sent.ToMessage();
        var operation = MessagingOperation.Send(@event.Target);
        var activity = reports.Begin(@event, operation);
        var started = reports.Now;
        AcknowledgementResult result;
        try
        {
            result = await SendAndWaitAsync(
                @event, level, TimeSpan.FromMilliseconds(timeoutMilliseconds), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            reports.TellOfGivenUp(activity, operation, exception);
            throw;
        }

        var failure = result.Verdict.IsOk ? null : result.Verdict.ToBusException();
        reports.Tell(activity, started, operation, @event, failure, isAttempt: true);
        return failure is null
            ? new Outcome { NewState = result.NewState ?? "", Reply = result.Reply?.ToMessage() }
            : throw failure;
    }

    public Task<Outcome?> Publish(
        in NewEvent @event, Publication publication, CancellationToken cancellationToken)
    {
        publication.Event = @event.ToMessage();
        return PublishAsync(publication, cancellationToken);
    }

    private async Task<Outcome?> PublishAsync(Publication publication, CancellationToken cancellationToken)
    {
        var operation = MessagingOperation.Publish(publication);
        var activity = reports.Begin(publication.Event, operation);
        var started = reports.Now;
        var recipients = 0;
        var verdict = Check(AcknowledgementLevel.Accepted);
        if (verdict.IsOk)
        {
            var context = TakeContext();
            verdict = hub.Router.Publish(
                publication, RoutedEvent.Of(publication.Event), _origin, context, out recipients);
            if (context.MustWait)
            {
                try
                {
                    var (_, accepted) = await WaitForRoomAsync(context, cancellationToken).ConfigureAwait(false);
                    recipients += accepted;
                }
                catch (OperationCanceledException exception)
                {
                    reports.TellOfGivenUp(activity, operation, exception);
                    throw;
                }
            }

            GiveBack(context);
        }

        var failure = verdict.IsOk ? null : verdict.ToBusException();
        reports.Tell(activity, started, operation, publication.Event, failure);
        return failure is null ? new Outcome { Recipients = (uint)recipients } : throw failure;
    }

    private async Task<Outcome?> SendWhenThereIsRoomAsync(
        Event @event,
        Verdict verdict,
        RoutingContext context,
        long started,
        Activity? activity,
        CancellationToken cancellationToken)
    {
        var operation = MessagingOperation.Send(@event.Target);
        try
        {
            var (inbox, _) = await WaitForRoomAsync(context, cancellationToken).ConfigureAwait(false);
            verdict = verdict.IsOk ? inbox : verdict;
        }
        catch (OperationCanceledException exception)
        {
            reports.TellOfGivenUp(activity, operation, exception);
            throw;
        }

        GiveBack(context);
        var failure = verdict.IsOk ? null : verdict.ToBusException();
        reports.Tell(activity, started, operation, @event, failure);
        return failure is null ? null : throw failure;
    }

    private async Task<AcknowledgementResult> SendAndWaitAsync(
        Event @event, AcknowledgementLevel level, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var pending = new PendingAcknowledgement(@event.Target, level);
        var waits = level > AcknowledgementLevel.Delivered ? WaitsOfThisFlow() : null;
        var verdict = Check(level);
        if (verdict.IsOk && waits is not null)
        {
            verdict = waits.Begin(@event.Target, pending);
            CountIfRefused(verdict);
        }

        if (!verdict.IsOk)
        {
            return new AcknowledgementResult(verdict, "", null);
        }

        pendingSends.Begin();
        try
        {
            var context = TakeContext();
            verdict = hub.Router.Send(new MessageEvent(@event), pending, _origin, context);
            if (context.MustWait)
            {
                var inbox = await WaitForRoomAsync(context, @event.Target, timeout, cancellationToken)
                    .ConfigureAwait(false);
                verdict = verdict.IsOk ? inbox : verdict;
            }

            GiveBack(context);
            if (!verdict.IsOk)
            {
                return new AcknowledgementResult(verdict, "", null);
            }

            // The wait for room and the wait for the answer share one time-out, as for a client.
            var left = timeout - Stopwatch.GetElapsedTime(started);
            return await pending
                .WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            waits?.End(pending);
            pendingSends.End();
        }
    }

    // Waits as long as the hub lets any sender wait for room.
    private async ValueTask<(Verdict Verdict, int Accepted)> WaitForRoomAsync(
        RoutingContext context, CancellationToken cancellationToken)
    {
        pendingSends.Begin();
        try
        {
            return await context.WaitForRoomAsync(hub.Options, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            pendingSends.End();
        }
    }

    // Waits no longer than the sender wants to.
    private async ValueTask<Verdict> WaitForRoomAsync(
        RoutingContext context, string target, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            var (inbox, _) = await context.WaitForRoomAsync(hub.Options, limit.Token).ConfigureAwait(false);
            return inbox;
        }
        catch (OperationCanceledException)
        {
            // A caller that has given up is told of its own token.
            cancellationToken.ThrowIfCancellationRequested();
            return Verdict.TooLate(target);
        }
    }

    private Verdict Check(AcknowledgementLevel level)
    {
        var verdict = EventLimits.Check(level);
        verdict = verdict.IsOk ? pendingSends.CheckRoom() : verdict;
        CountIfRefused(verdict);
        return verdict;
    }

    private void CountIfRefused(in Verdict verdict)
    {
        if (!verdict.IsOk)
        {
            hub.Metrics.CountRefused(verdict.Code);
        }
    }

    // The waits of the machine of this hub to whose handler this code belongs, if the handler has not returned.
    private LocalWaits? WaitsOfThisFlow() =>
        HandlerFlow.Current is { HasBeenHandled: false, HandledBy: LocalReceiver receiver } && receiver.IsOf(hub)
            ? receiver.Waits
            : null;

    private RoutingContext TakeContext() => Interlocked.Exchange(ref _context, null) ?? new RoutingContext();

    private void GiveBack(RoutingContext context)
    {
        context.SignalAll();
        Volatile.Write(ref _context, context);
    }
}
