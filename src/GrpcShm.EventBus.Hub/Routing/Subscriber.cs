using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Routing;

/// <summary>A subscription that stands, with its mailbox and the acknowledgements that it still owes.</summary>
internal sealed class Subscriber(
    uint number,
    string inboxOf,
    Mailbox mailbox,
    Outbox outbox,
    EventBusMetrics metrics,
    long credit = Subscriber.Unlimited)
{
    /// <summary>A credit that is never used up.</summary>
    public const long Unlimited = long.MaxValue / 2;

    // None until a sender waits: there may be very many machines.
    private OwedAcknowledgements? _owed;
    private ulong _lastDelivery;
    private int _scheduled;
    private bool _closed;
    private long _reportedLoss;

    // Only the writer uses them: the place of the last delivery in a batch, and the batch.
    private int _lastPlace;
    private uint _lastBatch;

    // How many deliveries may still be written. Only the writer takes from it; the session's reader adds to it.
    private long _credit = credit;

    /// <summary>The number that the session's client gave it; zero for a subscription by a single call.</summary>
    public uint Number { get; } = number;

    /// <summary>The machine whose inbox it is; empty if it is none.</summary>
    public string InboxOf { get; } = inboxOf;

    public Mailbox Mailbox { get; } = mailbox;

    public Outbox Outbox { get; } = outbox;

    public bool IsClosed => Volatile.Read(ref _closed);

    /// <summary>Puts an event into the mailbox, and notes in the context the writer to wake or the wait.</summary>
    public PutResult Put(in MailItem item, RoutingContext context)
    {
        var result = Mailbox.Put(item, InboxOf, out var blocked);
        switch (result)
        {
            case PutResult.Blocked:
                blocked!.Subscriber = this;
                context.AddBlocked(blocked);
                break;
            case PutResult.Dropped:
            case PutResult.Accepted:
                Schedule(context);
                break;
        }

        return result;
    }

    /// <summary>
    /// Notes that there was no room in time for an event whose sender is not told. The subscriber is told instead.
    /// </summary>
    public void NoteMissedEvent(RoutingContext context)
    {
        metrics.CountDropped(1);
        Schedule(context);
    }

    /// <summary>Puts a fence into the mailbox, and notes in the context the writer to wake.</summary>
    public Verdict PutFence(FenceMark fence, PendingAcknowledgement pending, RoutingContext context)
    {
        switch (Mailbox.PutFence(new MailItem(fence, fence.Size, pending)))
        {
            case PutResult.Accepted:
                Schedule(context);
                return Verdict.Ok;
            case PutResult.Full:
                return Verdict.Full(InboxOf);
            default:
                return Verdict.Gone(InboxOf);
        }
    }

    /// <summary>Hands over the events that waited for the inbox, and wakes the stream's writer.</summary>
    public void Preload(IEnumerable<MailItem> items, RoutingContext context)
    {
        Mailbox.Preload(items);
        Schedule(context);
    }

    /// <summary>Takes events for the writer.</summary>
    public int Take(Span<MailItem> destination, int maxBytes)
    {
        // Cleared first: a sender that puts an event in after the take finds it cleared, and schedules again. For the
        // same reason a grant that comes after the credit was read schedules again.
        Interlocked.Exchange(ref _scheduled, 0);
        var credit = Interlocked.Read(ref _credit);
        var (taken, fences) = (0, 0);
        if (credit > 0)
        {
            taken = Mailbox.Take(destination, maxBytes, credit, out fences);
        }

        if (Interlocked.Add(ref _credit, fences - taken) > 0
            && Mailbox.Count > 0
            && Interlocked.Exchange(ref _scheduled, 1) == 0)
        {
            Outbox.AddReady(this);
        }

        return taken;
    }

    /// <summary>Lets the writer write more deliveries.</summary>
    public void Grant(uint deliveries, RoutingContext context)
    {
        Interlocked.Add(ref _credit, deliveries);
        if (Mailbox.Count > 0)
        {
            Schedule(context);
        }
    }

    /// <summary>Makes the delivery of an event that was taken.</summary>
    public OutgoingDelivery Deliver(in MailItem item)
    {
        if (item.Event is FenceMark fence)
        {
            return DeliverFence(fence, item.Pending!);
        }

        metrics.RecordWait(item.Accepted, InboxOf);
        return item.Pending is { IsDone: false } pending
            ? new OutgoingDelivery(Number, Owe(pending), pending.Level, item.Event)
            : new OutgoingDelivery(Number, 0, AcknowledgementLevel.Unspecified, item.Event);
    }

    /// <summary>Says where its last delivery stands in a batch; less than zero if it has none there.</summary>
    public int LastPlaceIn(uint batch) => _lastBatch == batch ? _lastPlace : -1;

    /// <summary>Notes where its last delivery stands in a batch.</summary>
    public void NotePlace(uint batch, int place) => (_lastBatch, _lastPlace) = (batch, place);

    /// <summary>
    /// Takes the number of events dropped so far, if the subscriber has not been told of it; else zero.
    /// </summary>
    public long TakeLoss()
    {
        var dropped = Mailbox.Dropped;
        if (dropped == _reportedLoss)
        {
            return 0;
        }

        _reportedLoss = dropped;
        return dropped;
    }

    /// <summary>Takes the answer to a delivery. The machine may belong to any process.</summary>
    public void Acknowledge(Acknowledgement acknowledgement, RoutedEvent? reply, in Verdict verdict)
    {
        if (Volatile.Read(ref _owed)?.Take(acknowledgement.Number) is not { } pending)
        {
            return;
        }

        if (verdict.IsOk)
        {
            pending.Complete(acknowledgement, reply);
        }
        else
        {
            pending.Fail(verdict with { MachineId = InboxOf });
        }
    }

    public void Forget(ulong deliveryNumber) => Volatile.Read(ref _owed)?.Take(deliveryNumber);

    /// <summary>Ends the subscription: sends that wait for it fail, and it takes no more events.</summary>
    public void Close()
    {
        Mailbox.Close();
        Volatile.Write(ref _closed, true);
        foreach (var pending in MakeOwed(OwedAcknowledgements.Closed).Close())
        {
            pending.FailGone();
        }
    }

    private OutgoingDelivery DeliverFence(FenceMark fence, PendingAcknowledgement pending)
    {
        var number = fence.Route.IsWithdrawn || pending.IsDone ? 0 : Owe(pending);
        return number == 0
            ? new OutgoingDelivery(Number, 0, AcknowledgementLevel.Unspecified, fence, Fence: fence.Route.Number)
            : new OutgoingDelivery(
                Number,
                number,
                pending.Level,
                fence,
                Fence: fence.Route.Number,
                ReturnedCredit: GiveUpHalfOfTheCredit());
    }

    // Only the writer takes credit, so what it has read is still there. At least one is, and that one is given up: a
    // route without room would stay without. Half of an endless credit would be too much to tell, and the subscriber
    // bounds nothing by it.
    private uint GiveUpHalfOfTheCredit()
    {
        var half = (Interlocked.Read(ref _credit) + 1) / 2;
        if (half > uint.MaxValue)
        {
            return 0;
        }

        Interlocked.Add(ref _credit, -half);
        return (uint)half;
    }

    private void Schedule(RoutingContext context)
    {
        if (Interlocked.Exchange(ref _scheduled, 1) == 0)
        {
            Outbox.AddReady(this);
            context.AddTouched(Outbox);
        }
    }

    // The first sender that waits and the end may come at once: then the one that is first decides.
    private OwedAcknowledgements MakeOwed(OwedAcknowledgements owed) =>
        Interlocked.CompareExchange(ref _owed, owed, null) ?? owed;

    private ulong Owe(PendingAcknowledgement pending)
    {
        var number = ++_lastDelivery;
        pending.NoteDelivery(this, number);
        if (!(Volatile.Read(ref _owed) ?? MakeOwed(new OwedAcknowledgements())).TryAdd(number, pending))
        {
            pending.FailGone();
            return 0;
        }

        if (pending.IsDone)
        {
            Forget(number);
        }

        return number;
    }
}
