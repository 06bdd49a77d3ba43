using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>The gRPC service: brings each call to the hub.</summary>
[SuppressMessage("Performance", "CA1812", Justification = "Made by dependency injection.")]
internal sealed partial class EventBusService(HubCore hub) : HubMethods.ServiceBase
{
    private const int MaxReportedFailures = 100;

    public override async Task Session(
        IAsyncStreamReader<HubSessionRequest> requestStream,
        IServerStreamWriter<HubSessionResponse> responseStream,
        ServerCallContext context)
    {
        var session = new EventSession(hub, context.GetHttpContext(), responseStream, context.CancellationToken);
        try
        {
            await session.RunAsync(requestStream).ConfigureAwait(false);
        }
        catch (RpcException ended) when (session.Life.HasEnded || hub.Stopping.IsCancellationRequested)
        {
            // The session's own line in the log says why. For an exception gRPC would write a line about an error, for
            // each session of a hub that stops, and for each client that connects to it again.
            context.Status = ended.Status;
        }
    }

    public override async Task<SendResponse> Send(SendRequest request, ServerCallContext context)
    {
        var level = request.Acknowledgement;
        ThrowUnlessOk(EventLimits.Check(level));
        var result = await SendAsync(RoutedEvent.Of(request.Event), level, context).ConfigureAwait(false);
        return new SendResponse { NewState = result.NewState ?? "", Reply = result.Reply?.ToMessage() };
    }

    public override async Task<AskResponse> Ask(AskRequest request, ServerCallContext context)
    {
        var result = await SendAsync(RoutedEvent.Of(request.Event), AcknowledgementLevel.Replied, context)
            .ConfigureAwait(false);
        return new AskResponse { NewState = result.NewState, Reply = result.Reply?.ToMessage() };
    }

    public override async Task<SendManyResponse> SendMany(
        IAsyncStreamReader<SendManyRequest> requestStream, ServerCallContext context)
    {
        var response = new SendManyResponse();
        var routing = new RoutingContext();
        var origin = new CallOrigin(context);
        var gate = GateFor(context, origin);
        ulong place = 0;
        while (await requestStream.MoveNext(context.CancellationToken).ConfigureAwait(false))
        {
            foreach (var message in requestStream.Current.Events)
            {
                var @event = RoutedEvent.Of(message);
                place++;
                var verdict =
                    gate is null ? Verdict.Ok : await gate.CheckSendAsync(@event, origin).ConfigureAwait(false);
                if (verdict.IsOk)
                {
                    verdict = hub.Router.Send(@event, null, origin, routing);
                }

                if (routing.MustWait)
                {
                    verdict = await WaitForRoomAsync(verdict, routing, context).ConfigureAwait(false);
                }

                Count(response, place, @event, verdict);
            }

            routing.SignalAll();
        }

        return response;
    }

    public override async Task<PublishResponse> Publish(PublishRequest request, ServerCallContext context)
    {
        var routing = new RoutingContext();
        var origin = new CallOrigin(context);
        var @event = RoutedEvent.Of(request.Publication?.Event);
        if (GateFor(context, origin) is { } gate)
        {
            ThrowUnlessOk(await gate.CheckPublishAsync(request.Publication, @event, origin).ConfigureAwait(false));
        }

        var verdict = hub.Router.Publish(request.Publication, @event, origin, routing, out var recipients);
        if (routing.MustWait)
        {
            var (_, accepted) = await routing
                .WaitForRoomAsync(hub.Options, context.CancellationToken).ConfigureAwait(false);
            recipients += accepted;
        }

        routing.SignalAll();
        ThrowUnlessOk(verdict);
        return new PublishResponse { Recipients = (uint)recipients };
    }

    public override async Task Subscribe(
        SubscribeRequest request, IServerStreamWriter<HubSubscribeResponse> responseStream, ServerCallContext context)
    {
        ThrowUnlessOk(hub.Limits.CheckText(request.InstanceId, "instance id"));
        ThrowUnlessOk(hub.Limits.CheckText(request.Name, "name of the subscriber"));
        if (request.Subscription is not null)
        {
            // Deliveries of a single call carry no number.
            request.Subscription.Number = 0;

            // Its client could not grant further credit.
            request.Subscription.Credit = 0;
            request.Subscription.StartsWithoutCredit = false;
        }

        var peer = PeerIdentity.Of(context);
        var owner = new MachineOwner(
            peer, new SessionBudget(hub.Budget), request.InstanceId, request.Name, isLease: false);
        if (hub.GateFor(context.GetHttpContext(), peer, owner) is { } gate)
        {
            ThrowUnlessOk(await gate.CheckSubscribeAsync(request.Subscription).ConfigureAwait(false));
        }

        ThrowUnlessOk(hub.Budget.Sessions.Take(peer.UserId));
        try
        {
            await SubscribeAsync(request.Subscription, owner, responseStream, context).ConfigureAwait(false);
        }
        finally
        {
            hub.Budget.Sessions.Give(peer.UserId);
        }
    }

    public override Task<AcknowledgeResponse> Acknowledge(AcknowledgeRequest request, ServerCallContext context)
    {
        if (!hub.TryGetSubscriber(request.SubscriptionId, out var subscriber))
        {
            throw new RpcException(new Status(StatusCode.NotFound, "The subscription does not exist, or has ended."));
        }

        var origin = new CallOrigin(context);
        foreach (var acknowledgement in request.Acknowledgements)
        {
            hub.Router.Acknowledge(subscriber!, acknowledgement, RoutedEvent.Of(acknowledgement.Reply), origin);
        }

        return Task.FromResult(new AcknowledgeResponse());
    }

    private static void ThrowUnlessOk(Verdict verdict)
    {
        if (!verdict.IsOk)
        {
            throw verdict.ToException();
        }
    }

    private async Task SubscribeAsync(
        Subscription? filter,
        MachineOwner owner,
        IServerStreamWriter<HubSubscribeResponse> responses,
        ServerCallContext context)
    {
        var outbox = new Outbox(runWriterInline: true);
        var routing = new RoutingContext();
        var verdict = hub.Router.Subscribe(owner, filter, outbox, routing, out var subscription);
        if (!verdict.IsOk)
        {
            hub.Machines.End(owner, MachineChangeKind.Unregistered, "The subscription to its inbox was refused.");

            // It may have withdrawn routes before it was refused. Their clients have to learn it.
            routing.SignalAll();
            throw verdict.ToException();
        }

        var id = Guid.NewGuid().ToString("N");
        hub.AddSubscriber(id, subscription!.Subscriber);
        try
        {
            routing.SignalAll();
            if (subscription.Silence is { } silence)
            {
                // The first response promises that no event is missed.
                await silence.WaitAsync(hub.Options.RouteWithdrawalTimeout, context.CancellationToken)
                    .ConfigureAwait(false);
            }

            var stream = new SubscriptionStream(hub, outbox, subscription.Subscriber, responses);
            await stream.RunAsync(id, context.CancellationToken).ConfigureAwait(false);
        }
        finally
        {
            hub.RemoveSubscriber(id);
            hub.Machines.End(owner, MachineChangeKind.Lost, "The call that was subscribed to its inbox ended.");
            hub.Router.Unsubscribe(subscription);
        }
    }

    private void Count(SendManyResponse response, ulong place, RoutedEvent @event, Verdict verdict)
    {
        if (verdict.IsOk)
        {
            response.Accepted++;
            return;
        }

        response.Failed++;
        if (response.Failures.Count < MaxReportedFailures)
        {
            response.Failures.Add(new Outcome
            {
                Number = place,
                StatusCode = (int)verdict.Code,
                Message = verdict.Message,
                MachineId = verdict.MachineId,
                EventId = hub.Limits.Echo(@event),
            });
        }
    }

    private AccessGate? GateFor(ServerCallContext context, CallOrigin origin) =>
        hub.Access is null ? null : hub.GateFor(context.GetHttpContext(), origin.Peer);

    private async Task<AcknowledgementResult> SendAsync(
        RoutedEvent? @event, AcknowledgementLevel level, ServerCallContext context)
    {
        var pending = level > AcknowledgementLevel.Accepted && @event is not null
            ? new PendingAcknowledgement(@event.Target, level)
            : null;
        var routing = new RoutingContext();
        var origin = new CallOrigin(context);
        if (GateFor(context, origin) is { } gate)
        {
            ThrowUnlessOk(await gate.CheckSendAsync(@event, origin).ConfigureAwait(false));
        }

        var verdict = hub.Router.Send(@event, pending, origin, routing);
        if (routing.MustWait)
        {
            verdict = await WaitForRoomAsync(verdict, routing, context).ConfigureAwait(false);
        }

        routing.SignalAll();
        ThrowUnlessOk(verdict);
        if (pending is null)
        {
            return new AcknowledgementResult(Verdict.Ok, "", null);
        }

        // A deadline cancels the call by itself. Then there is no client to be told.
        var timeout = context.Deadline == DateTime.MaxValue
            ? hub.Options.DefaultAcknowledgementTimeout
            : TimeSpan.FromDays(1);
        var result = await pending.WaitAsync(timeout, context.CancellationToken).ConfigureAwait(false);
        ThrowUnlessOk(result.Verdict);
        return result;
    }

    private async ValueTask<Verdict> WaitForRoomAsync(
        Verdict verdict, RoutingContext routing, ServerCallContext context)
    {
        var (inboxVerdict, _) = await routing
            .WaitForRoomAsync(hub.Options, context.CancellationToken).ConfigureAwait(false);
        return verdict.IsOk ? inboxVerdict : verdict;
    }
}
