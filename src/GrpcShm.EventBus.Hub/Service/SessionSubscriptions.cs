using System.Collections.Concurrent;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>The subscriptions of one session, by the client's numbers.</summary>
internal sealed class SessionSubscriptions(
    HubCore hub, MachineOwner owner, SessionOrigin origin, Outbox outbox, SessionLife life, SessionWaits waits)
{
    private readonly Lock _lock = new();

    // Changed under the lock, until the session is released: by the session's reader, which itself looks without the
    // lock, and by the end of a subscription that is refused late.
    private readonly ConcurrentDictionary<uint, LiveSubscription> _subscriptions = new();

    // Under the lock.
    private int _count;

    // Under the lock. The caller of Release has taken the subscriptions over.
    private bool _isReleased;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Makes a subscription.</summary>
    /// <param name="subscription">The client's wish.</param>
    /// <param name="context">The work that is left to do afterwards.</param>
    /// <param name="live">The subscription, if it stands.</param>
    public Verdict Subscribe(Subscription subscription, RoutingContext context, out LiveSubscription? live)
    {
        live = null;
        if (subscription.Number == 0 || _subscriptions.ContainsKey(subscription.Number))
        {
            return Verdict.Invalid($"The subscription number {subscription.Number} is zero or in use.");
        }

        if (Count >= hub.Options.MaxSubscriptionsPerSession)
        {
            return Verdict.Exhausted(
                $"The session has its limit of {hub.Options.MaxSubscriptionsPerSession} subscriptions.");
        }

        // Outside of the lock: subscribing wakes the watchers of machines, whose writers may run on this thread.
        var verdict = life.HasEnded
            ? SessionLife.Ended
            : hub.Router.Subscribe(owner, subscription, outbox, context, out live);
        if (!verdict.IsOk)
        {
            return verdict;
        }

        lock (_lock)
        {
            if (!_isReleased)
            {
                _subscriptions.TryAdd(subscription.Number, live!);
                Volatile.Write(ref _count, _count + 1);
                return Verdict.Ok;
            }
        }

        hub.Router.Unsubscribe(live!);
        return SessionLife.Ended;
    }

    public Verdict Unsubscribe(uint number) => Remove(number)
        ? Verdict.Ok
        : new Verdict(StatusCode.NotFound, $"The session has no subscription {number}.", "");

    /// <summary>Unregisters a machine, and ends the subscription to its inbox.</summary>
    public Verdict Unregister(string machineId)
    {
        var verdict = hub.Machines.Unregister(owner, machineId, out var inbox);
        if (inbox is not null)
        {
            Remove(inbox.Number);
        }

        return verdict;
    }

    /// <summary>Ends a subscription that was refused late, unless the client or the session has ended it.</summary>
    public void Remove(LiveSubscription subscription)
    {
        lock (_lock)
        {
            if (_isReleased || !_subscriptions.TryRemove(new(subscription.Subscriber.Number, subscription)))
            {
                return;
            }

            Volatile.Write(ref _count, _count - 1);
        }

        hub.Router.Unsubscribe(subscription);
    }

    public void Acknowledge(Acknowledgement acknowledgement, RoutedEvent? reply)
    {
        if (_subscriptions.TryGetValue(acknowledgement.Subscription, out var subscription))
        {
            hub.Router.Acknowledge(subscription.Subscriber, acknowledgement, reply, origin);
        }
    }

    public void Grant(Credit credit, RoutingContext context)
    {
        if (_subscriptions.TryGetValue(credit.Subscription, out var subscription))
        {
            subscription.Subscriber.Grant(credit.Deliveries, context);
        }
    }

    /// <summary>
    /// Ends all subscriptions. The reader may still be in the middle of a command: a subscription that it makes now
    /// belongs to an owner that has ended, and is not added any more.
    /// </summary>
    public void Release()
    {
        LiveSubscription[] subscriptions;
        lock (_lock)
        {
            _isReleased = true;
            subscriptions = [.. _subscriptions.Values];
        }

        foreach (var subscription in subscriptions)
        {
            hub.Router.Unsubscribe(subscription);
        }
    }

    private bool Remove(uint number)
    {
        LiveSubscription? subscription;
        lock (_lock)
        {
            if (_isReleased || !_subscriptions.TryRemove(number, out subscription))
            {
                return false;
            }

            Volatile.Write(ref _count, _count - 1);
        }

        hub.Router.Unsubscribe(subscription);
        if (subscription.Subscriber.InboxOf is { Length: > 0 } machine)
        {
            // This session may not say any more that the machine's handler waits.
            waits.EndAllOf(machine);
        }

        return true;
    }
}
