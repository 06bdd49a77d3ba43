using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Local;

/// <summary>
/// Sends and publishes for the machines of the hub's own process, without a connection. What is wrong with a send comes
/// by its task, as with a client's.
/// </summary>
internal sealed class LocalSender(HubCore hub, NewEvents newEvents)
{
    private readonly HubOrigin _origin = new();

    // Taken while in use: a second sender at the same moment makes one of its own.
    private RoutingContext? _context;

    public static EventBusException ToException(in Verdict verdict) =>
        new(verdict.Code, verdict.Message ?? "", verdict.MachineId);

    /// <summary>Sends an event until it is accepted.</summary>
    public Task Send(string source, string target, string name, object? payload, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled(cancellationToken);
        }

        Event @event;
        try
        {
            @event = newEvents.Make(source, target, name, payload, null);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return Task.FromException(exception);
        }

        var activity = EventTracing.Begin(@event, MessagingOperation.Send(target));
        var context = TakeContext();
        var verdict = hub.Router.Send(@event, null, _origin, context);
        if (context.MustWait)
        {
            return WaitForRoomAsync(verdict, context, target, activity, cancellationToken);
        }

        GiveBack(context);
        NoteSent(MessagingOperation.Send(target), activity, verdict);
        return verdict.IsOk ? Task.CompletedTask : Task.FromException(ToException(verdict));
    }

    /// <summary>Sends an event as far as the options say.</summary>
    public async Task<EventSendResult> SendAsync(
        string source,
        string target,
        string name,
        object? payload,
        EventSendOptions options,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var @event = newEvents.Make(source, target, name, payload, options);
        var level = options.Acknowledgement;
        var verdict = EventLimits.Check(level);
        if (!verdict.IsOk)
        {
            throw ToException(verdict);
        }

        var pending = level > AcknowledgementLevel.Accepted ? new PendingAcknowledgement(target, level) : null;
        var timeout = options.Timeout ?? hub.Options.DefaultAcknowledgementTimeout;
        timeout = TimeSpan.FromMilliseconds(Math.Clamp(timeout.TotalMilliseconds, 1, int.MaxValue));
        var started = Stopwatch.GetTimestamp();
        var waits = level > AcknowledgementLevel.Delivered ? WaitsOfThisFlow() : null;
        var activity = EventTracing.Begin(@event, MessagingOperation.Send(target));
        verdict = waits?.Begin(target, pending!) ?? Verdict.Ok;
        if (!verdict.IsOk)
        {
            hub.Metrics.CountRefused(verdict.Code);
        }

        var result = default(AcknowledgementResult);
        try
        {
            if (verdict.IsOk)
            {
                var context = TakeContext();
                verdict = hub.Router.Send(@event, pending, _origin, context);
                if (context.MustWait)
                {
                    var most = pending is null ? Timeout.InfiniteTimeSpan : timeout;
                    verdict = await WaitForRoomAsync(verdict, context, target, most, cancellationToken)
                        .ConfigureAwait(false);
                }

                GiveBack(context);
            }

            if (verdict.IsOk && pending is not null)
            {
                // Room and answer have one time together, as for a client.
                var left = timeout - Stopwatch.GetElapsedTime(started);
                result = await pending
                    .WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
                verdict = result.Verdict;
            }
        }
        catch (OperationCanceledException exception)
        {
            NoteSent(MessagingOperation.Send(target), activity, new Verdict(StatusCode.Cancelled, exception.Message, target));
            throw;
        }
        finally
        {
            if (pending is not null)
            {
                waits?.End(pending);
            }
        }

        NoteSent(MessagingOperation.Send(target), activity, verdict);
        return verdict.IsOk
            ? new EventSendResult(
                result.NewState ?? "", result.Reply is null ? null : new BusEvent(result.Reply, newEvents.Codecs))
            : throw ToException(verdict);
    }

    /// <summary>Publishes an event.</summary>
    /// <returns>How many mailboxes the event was put into.</returns>
    public async Task<int> PublishAsync(
        string name, object? payload, EventPublishOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var @event = newEvents.Make(options.SourceMachineId, "", name, payload, options.Event);
        var publication = NewEvents.Publish(@event, options);
        var operation = MessagingOperation.Publish(publication);
        var activity = EventTracing.Begin(@event, operation);
        var context = TakeContext();
        var verdict = hub.Router.Publish(publication, _origin, context, out var recipients);
        if (context.MustWait)
        {
            try
            {
                var (_, accepted) = await context.WaitForRoomAsync(hub.Options, cancellationToken).ConfigureAwait(false);
                recipients += accepted;
            }
            catch (OperationCanceledException exception)
            {
                NoteSent(operation, activity, new Verdict(StatusCode.Cancelled, exception.Message, ""));
                throw;
            }
        }

        GiveBack(context);
        NoteSent(operation, activity, verdict);
        return verdict.IsOk ? recipients : throw ToException(verdict);
    }

    // The waits of the machine of this hub whose handler this code belongs to, if that has not returned.
    private LocalWaits? WaitsOfThisFlow() =>
        HandlerFlow.Current is { HasBeenHandled: false, HandledBy: LocalMachine machine } && machine.IsOf(hub)
            ? machine.Waits
            : null;

    private RoutingContext TakeContext() => Interlocked.Exchange(ref _context, null) ?? new RoutingContext();

    private void GiveBack(RoutingContext context)
    {
        context.SignalAll();
        Volatile.Write(ref _context, context);
    }

    private void NoteSent(in MessagingOperation operation, Activity? activity, in Verdict verdict)
    {
        EventTracing.End(activity, verdict.Code, verdict.Message);
        hub.Messaging.Sent(operation, verdict.Code);
    }

    private async Task WaitForRoomAsync(
        Verdict verdict, RoutingContext context, string target, Activity? activity, CancellationToken cancellationToken)
    {
        try
        {
            verdict = await WaitForRoomAsync(verdict, context, target, Timeout.InfiniteTimeSpan, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            NoteSent(MessagingOperation.Send(target), activity, new Verdict(StatusCode.Cancelled, exception.Message, target));
            throw;
        }

        GiveBack(context);
        NoteSent(MessagingOperation.Send(target), activity, verdict);
        if (!verdict.IsOk)
        {
            throw ToException(verdict);
        }
    }

    private async ValueTask<Verdict> WaitForRoomAsync(
        Verdict verdict,
        RoutingContext context,
        string target,
        TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            var (inbox, _) = await context.WaitForRoomAsync(hub.Options, limit.Token).ConfigureAwait(false);
            return verdict.IsOk ? inbox : verdict;
        }
        catch (OperationCanceledException)
        {
            // Whoever has given up is told of its own token.
            cancellationToken.ThrowIfCancellationRequested();
            return Verdict.TooLate(target);
        }
    }
}
