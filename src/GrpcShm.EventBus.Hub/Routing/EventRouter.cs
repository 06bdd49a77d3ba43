using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>Puts events into the mailboxes that they are for.</summary>
/// <remarks>
/// All of it runs on the sender's thread and never waits. The mailboxes to wait for, and the writers to wake, are left
/// in the <see cref="RoutingContext"/>.
/// </remarks>
internal sealed class EventRouter(
    EventBusOptions options,
    EventLimits limits,
    MachineRegistry machines,
    ObserverTable observers,
    HubLanes lanes,
    EventBusMetrics metrics)
{
    private readonly Action<int> _onDropped = metrics.CountDropped;

    /// <summary>Sends an event to its target.</summary>
    public Verdict Send(
        RoutedEvent? @event, PendingAcknowledgement? pending, EventOrigin origin, RoutingContext context)
    {
        var verdict = CheckOrigin(@event, origin);
        if (verdict.IsOk)
        {
            verdict = limits.Check(@event, isPublished: false, StampOf(@event, origin));
        }

        var item = default(MailItem);
        if (verdict.IsOk)
        {
            item = new MailItem(@event!, @event!.Size, pending, metrics.Now);
            verdict = machines.TryGet(@event, EventPart.Target, out var machine)
                ? ToVerdict(machine!.Put(item, context), machine.Id)
                : Verdict.NotFound(@event.Target);
        }

        if (verdict.IsOk)
        {
            observers.Put(item with { Pending = null }, null, context);
            metrics.CountAccepted();
        }
        else
        {
            metrics.CountRefused(verdict.Code);
        }

        return verdict;
    }

    /// <summary>Publishes an event to its audience.</summary>
    /// <param name="publication">Its audience. The publication's own event is not looked at.</param>
    /// <param name="event">The event.</param>
    /// <param name="origin">The origin of the event.</param>
    /// <param name="context">The work that is left to do afterwards.</param>
    /// <param name="recipients">How many mailboxes took it.</param>
    public Verdict Publish(
        Publication? publication,
        RoutedEvent? @event,
        EventOrigin origin,
        RoutingContext context,
        out int recipients)
    {
        recipients = 0;
        if (publication is null)
        {
            return Verdict.Invalid("The publication is missing.");
        }

        var verdict = CheckOrigin(@event, origin);
        if (verdict.IsOk)
        {
            verdict = limits.Check(@event, isPublished: true, StampOf(@event, origin));
        }

        NamePattern? pattern = null;
        if (verdict.IsOk)
        {
            verdict = CheckAudience(publication, out pattern);
        }

        if (!verdict.IsOk)
        {
            metrics.CountRefused(verdict.Code);
            return verdict;
        }

        @event!.PutGroup(publication.Group);
        @event.IsPublished = true;
        var item = new MailItem(@event, @event.Size, null, metrics.Now);
        foreach (var machine in Audience(publication, pattern))
        {
            if (publication.ExcludeSource && machine.Id == @event.Source)
            {
                continue;
            }

            recipients += machine.Put(item, context) == PutResult.Accepted ? 1 : 0;
        }

        var group = publication.AudienceCase == Publication.AudienceOneofCase.Group ? publication.Group : null;
        recipients += observers.Put(item, group, context);
        metrics.CountAccepted();
        return Verdict.Ok;
    }

    /// <summary>Brings the answer to a delivery to the sender that waits for it.</summary>
    /// <param name="subscriber">The subscriber that got the delivery.</param>
    /// <param name="acknowledgement">The answer. Its own reply is not looked at.</param>
    /// <param name="reply">The reply, if there is one.</param>
    /// <param name="origin">The origin of the answer.</param>
    public void Acknowledge(
        Subscriber subscriber, Acknowledgement acknowledgement, RoutedEvent? reply, EventOrigin origin)
    {
        // A caller that may answer for a machine may do so as that machine, by any connection. Nobody answers as
        // another machine.
        origin.MaySendAsOther = false;
        reply?.DropMachineChange();
        var verdict = reply is not null && reply.Source != subscriber.InboxOf
            ? CheckOrigin(reply, origin)
            : Verdict.Ok;
        if (verdict.IsOk)
        {
            verdict = limits.Check(acknowledgement, reply, StampOf(reply, origin));
        }

        subscriber.Acknowledge(acknowledgement, reply, verdict);
    }

    /// <summary>Makes a subscription.</summary>
    public Verdict Subscribe(
        MachineOwner owner,
        Subscription? filter,
        Outbox outbox,
        RoutingContext context,
        out LiveSubscription? subscription)
    {
        subscription = null;
        var verdict = limits.Check(filter);
        if (!verdict.IsOk || !(verdict = MakeMailbox(filter!, owner, out var mailbox)).IsOk)
        {
            return verdict;
        }

        if (filter!.FilterCase != Subscription.FilterOneofCase.Inbox)
        {
            var observer = new Subscriber(filter.Number, "", mailbox!, outbox, metrics, CreditOf(filter));
            return Observe(filter, observer, owner, context, out subscription);
        }

        verdict = machines.Register(owner, filter.Inbox, null, out var machine);
        if (!verdict.IsOk)
        {
            return verdict;
        }

        var inbox = new Subscriber(filter.Number, machine!.Id, mailbox!, outbox, metrics, CreditOf(filter));
        if (!machine.TryAttach(inbox, context))
        {
            return new Verdict(
                StatusCode.AlreadyExists,
                $"The inbox of the machine '{machine.Id}' is subscribed to already.",
                machine.Id);
        }

        subscription = new LiveSubscription(inbox, machine);
        metrics.CountBegunSubscription();
        return Verdict.Ok;
    }

    /// <summary>Ends a subscription. Sends that wait for it fail. The machine of an inbox stays registered.</summary>
    public void Unsubscribe(LiveSubscription subscription)
    {
        if (subscription.Machine is { } machine)
        {
            machine.Detach(subscription.Subscriber);
            var context = new RoutingContext();
            lanes.WithdrawInbox(subscription.Subscriber, context);
            context.SignalAll();
        }
        else if (subscription.Watcher is { } watcher)
        {
            machines.Unwatch(watcher);
        }
        else
        {
            observers.Remove(subscription.Observer!);
        }

        subscription.Silence?.End();
        subscription.Subscriber.Close();
        metrics.CountEndedSubscription();
    }

    // By the sender's number receivers recognize events that they have had; by the source they know whom to answer. The
    // client may choose neither.
    private Verdict CheckOrigin(RoutedEvent? @event, EventOrigin origin) =>
        @event is null
        || @event.IsEmpty(EventPart.Source)
        || !machines.TryGet(@event, EventPart.Source, out var source)
        || origin.MaySendAsOther
        || origin.Owns(source!.Owner)
            ? Verdict.Ok
            : Verdict.NotTheirs(@event.Source);

    private static ulong StampOf(RoutedEvent? @event, EventOrigin origin) =>
        @event is null ? 0 : origin.Stamp(@event.Sender);

    private static long CreditOf(Subscription filter) => filter.StartsWithoutCredit ? 0
        : filter.Credit == 0 ? Subscriber.Unlimited
        : filter.Credit;

    private static Verdict ToVerdict(PutResult result, string machineId) => result switch
    {
        PutResult.Full => Verdict.Full(machineId),
        PutResult.Closed => Verdict.NotFound(machineId),
        _ => Verdict.Ok,
    };

    private Verdict Observe(
        Subscription filter,
        Subscriber subscriber,
        MachineOwner owner,
        RoutingContext context,
        out LiveSubscription? subscription)
    {
        Verdict verdict;
        LiveSubscription live;
        if (filter.FilterCase == Subscription.FilterOneofCase.MachineChanges)
        {
            var watcher = new MachineWatcher(filter.MachineChanges, subscriber, owner.Budget);
            live = new LiveSubscription(subscriber, Watcher: watcher);
            verdict = machines.Watch(watcher, context);
        }
        else
        {
            var observer = new Observer(new EventFilter(filter), subscriber, owner.Budget);
            live = new LiveSubscription(subscriber, Observer: observer);
            verdict = observers.Add(observer);

            // In this order: no route is granted any more that the observer could match.
            if (verdict.IsOk)
            {
                verdict = lanes.WithdrawObserved(observer, context, out var silence);
                live.Silence = silence;
                if (!verdict.IsOk)
                {
                    observers.Remove(observer);
                }
            }
        }

        subscription = verdict.IsOk ? live : null;
        if (verdict.IsOk)
        {
            metrics.CountBegunSubscription();
        }

        return verdict;
    }

    private Verdict CheckAudience(Publication publication, out NamePattern? pattern)
    {
        pattern = null;
        switch (publication.AudienceCase)
        {
            case Publication.AudienceOneofCase.Group:
                return limits.CheckId(publication.Group, "name of the group");
            case Publication.AudienceOneofCase.MachinePattern:
                var verdict = limits.CheckId(publication.MachinePattern, "pattern of machines");
                return verdict.IsOk ? limits.Check(pattern = new NamePattern(publication.MachinePattern)) : verdict;
            case Publication.AudienceOneofCase.None:
                return Verdict.Invalid(
                    "The publication names no receivers that this hub knows (all, a group, a pattern, observers). The "
                        + "client may be newer than the hub.");
            default:
                return Verdict.Ok;
        }
    }

    private IEnumerable<MachineEntry> Audience(Publication publication, NamePattern? pattern) =>
        publication.AudienceCase switch
    {
        Publication.AudienceOneofCase.All => machines.All,
        Publication.AudienceOneofCase.Group => machines.InGroup(publication.Group),
        Publication.AudienceOneofCase.MachinePattern when pattern!.Exact is { } id =>
            machines.TryGet(id, out var machine) ? [machine!] : [],
        Publication.AudienceOneofCase.MachinePattern => machines.All.Where(machine => pattern.Matches(machine.Id)),
        _ => [],
    };

    private Verdict MakeMailbox(Subscription filter, MachineOwner owner, out Mailbox? mailbox)
    {
        mailbox = null;
        var policy = filter.Mailbox?.OverflowPolicy ?? OverflowPolicy.Unspecified;
        if (policy is < OverflowPolicy.Unspecified or > OverflowPolicy.Grow)
        {
            return Verdict.Invalid($"The overflow policy {(int)policy} is not known.");
        }

        if (policy == OverflowPolicy.Unspecified)
        {
            policy = filter.FilterCase == Subscription.FilterOneofCase.Inbox
                ? OverflowPolicy.Block
                : OverflowPolicy.DropOldest;
        }

        var watches = filter.FilterCase == Subscription.FilterOneofCase.MachineChanges;
        if (watches && policy == OverflowPolicy.Block)
        {
            return Verdict.Invalid(
                "A subscription to machines cannot have the policy BLOCK: a caller that registers a machine does not "
                + "wait for subscribers. Take another policy.");
        }

        if (policy == OverflowPolicy.Block
            && filter.FilterCase != Subscription.FilterOneofCase.Inbox
            && !options.AllowBlockingObservers)
        {
            return new Verdict(
                StatusCode.PermissionDenied,
                "The hub does not let a subscription that only observes hold up senders. Take another policy than "
                    + "BLOCK, or allow it by AllowBlockingObservers.",
                "");
        }

        var asked = filter.Mailbox?.Capacity ?? 0;
        if (asked > options.MaxMailboxCapacity)
        {
            return Verdict.Invalid(
                $"The mailbox's capacity {asked} is more than the hub's limit of {options.MaxMailboxCapacity}.");
        }

        var capacity = asked > 0 ? (int)asked
            : policy == OverflowPolicy.Grow || watches ? options.MaxMailboxCapacity
            : Math.Min(options.DefaultMailboxCapacity, options.MaxMailboxCapacity);
        mailbox = new Mailbox(capacity, policy, options.MaxMailboxSize, owner.Budget.Waiting, _onDropped);
        return Verdict.Ok;
    }
}
