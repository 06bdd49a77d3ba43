using Grpc.Core;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>Writes the responses of one <c>Subscribe</c> call.</summary>
internal sealed class SubscriptionStream(
    HubCore hub, Outbox outbox, Subscriber subscriber, IServerStreamWriter<HubSubscribeResponse> stream)
{
    private readonly HubSubscribeResponse _response = new(new SubscribeResponse());

    /// <summary>
    /// Says that the subscription stands, then writes events until the call or the subscription ends.
    /// </summary>
    /// <exception cref="RpcException">The machine was unregistered, or the hub stops.</exception>
    public async Task RunAsync(string subscriptionId, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(
            new HubSubscribeResponse(
                new SubscribeResponse { Subscribed = new Subscribed { SubscriptionId = subscriptionId } }),
            cancellationToken).ConfigureAwait(false);

        await using var cancelled = cancellationToken.Register(Wake).ConfigureAwait(false);
        await using var stopping = hub.Stopping.Register(Wake).ConfigureAwait(false);
        var batch = new DeliveryBatch(outbox);
        var isOnSendersThread = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            while (Fill(batch))
            {
                await stream.WriteAsync(_response, cancellationToken).ConfigureAwait(false);
                hub.Metrics.CountDelivered(batch.Recipients);
                _response.ReleaseDeliveries();
                if (isOnSendersThread && outbox.HasReady)
                {
                    // Events that others send in the meantime must not hold the thread of this one sender.
                    isOnSendersThread = false;
                    await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                }
            }

            if (hub.Stopping.IsCancellationRequested)
            {
                throw HubCore.Stopped.ToException();
            }

            if (subscriber.IsClosed)
            {
                throw new Verdict(
                    StatusCode.Aborted,
                    $"The machine '{subscriber.InboxOf}' was unregistered.",
                    subscriber.InboxOf).ToException();
            }

            await outbox.WaitAsync().ConfigureAwait(false);
            isOnSendersThread = true;
        }
    }

    private void Wake() => outbox.Signal();

    private bool Fill(DeliveryBatch batch)
    {
        _response.Rest.Loss = null;
        return batch.Fill(_response.Deliveries, 0, AddLoss) > 0 | _response.Rest.Loss is not null;
    }

    private void AddLoss(Subscriber _, long dropped) => _response.Rest.Loss = new Loss { Dropped = (ulong)dropped };
}
