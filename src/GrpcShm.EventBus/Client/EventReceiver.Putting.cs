using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

// How events get into the queue: from the hub, and from machines of the same client.
internal sealed partial class EventReceiver
{
    // Senders come and go; what is forgotten here can only lead to a repeated event, after a lost connection.
    private const int MaxSenders = 4096;

    /// <summary>Puts an event from the hub in. The credit bounds how many there can be.</summary>
    /// <returns>Whether the caller has to run the receiver.</returns>
    public bool Put(SessionLink link, Delivery delivery)
    {
        var @event = delivery.Event;
        if (delivery.Acknowledgement == AcknowledgementLevel.Delivered)
        {
            link.Note(new SessionCommand
            {
                Acknowledge = new Acknowledgement { Subscription = Number, Number = delivery.Number },
            });
        }

        var item = new ReceivedEvent(@event, link, delivery.Number, delivery.Acknowledgement, null, IsRepeated(@event));
        lock (_lock)
        {
            if (_hasEnded)
            {
                return false;
            }

            TakeRoom(link);
            _queue.Enqueue(item);
            return TryRun();
        }
    }

    /// <summary>
    /// Puts an event from a machine of the same client in, which takes its place in the order by that.
    /// </summary>
    /// <returns>What completes when the event came as far as was asked.</returns>
    /// <param name="event">The event.</param>
    /// <param name="level">How far it must come.</param>
    /// <param name="wait">What the handler that sent it waits by; or none.</param>
    public Task<Outcome?> PutLocal(Event @event, AcknowledgementLevel level, ClientWait? wait = null)
    {
        var sender = level > AcknowledgementLevel.Delivered ? new LocalSend(level) { Wait = wait } : null;
        if (wait is not null)
        {
            wait.Send = sender;
            if (wait.Refused is { } refused)
            {
                return Task.FromException<Outcome?>(refused);
            }
        }

        ReceivedEvent? oldest = null;
        var isDropped = false;
        bool run;
        lock (_lock)
        {
            if (_endReason is { IsEndedByOwner: true })
            {
                return Task.FromException<Outcome?>(_endReason);
            }

            if (_hasEnded)
            {
                return Fail(StatusCode.NotFound, $"The machine '{Name}' is not registered.");
            }

            // A machine that waited for room in its own queue would wait for itself.
            if (_queue.Count >= _window && @event.Source != @event.Target)
            {
                switch (Policy)
                {
                    case OverflowPolicy.Block:
                        if (_waitingForRoom.Count >= _host.MaxPendingSends)
                        {
                            return Fail(
                                StatusCode.ResourceExhausted, $"Too many sends wait for room in the mailbox of the machine '{Name}'.");
                        }

                        sender ??= new LocalSend(level);
                        _waitingForRoom.Enqueue(sender);
                        break;
                    case OverflowPolicy.DropNewest:
                        isDropped = true;
                        break;
                    case OverflowPolicy.Grow when _queue.Count < Math.Max(Options.MailboxCapacity, _host.MaxPendingSends):
                        break;
                    case OverflowPolicy.Grow:
                        return Fail(StatusCode.ResourceExhausted, $"The mailbox of the machine '{Name}' is full.");
                    default:
                        oldest = _queue.Dequeue();
                        break;
                }
            }

            if (!isDropped)
            {
                _queue.Enqueue(new ReceivedEvent(@event, null, 0, level, sender, IsRepeated: false));
            }

            run = TryRun();
        }

        if (isDropped)
        {
            // Not under the lock: it logs.
            _host.Dropped(Name, Interlocked.Increment(ref _dropped));
            return level <= AcknowledgementLevel.Accepted
                ? Outcomes.Succeeded
                : Fail(StatusCode.Aborted, $"The mailbox of the machine '{Name}' was full and dropped the event.");
        }

        if (oldest is not null)
        {
            Drop(oldest.Value);
        }

        if (run)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);
        }

        return sender?.Task ?? Outcomes.Succeeded;
    }

    private OverflowPolicy Policy => Options.OverflowPolicy != OverflowPolicy.Unspecified ? Options.OverflowPolicy
        : IsMachine ? OverflowPolicy.Block : OverflowPolicy.DropOldest;

    private static void AnswerLocally(LocalSend sender, Acknowledgement acknowledgement)
    {
        // Before this machine takes its next event: whoever waited for the one before does not any more.
        sender.Wait?.End();
        if (sender.IsDoneWithRoom)
        {
            sender.TrySetResult(null);
        }
        else if (acknowledgement.StatusCode != 0)
        {
            sender.TrySetException(new EventBusException((StatusCode)acknowledgement.StatusCode, acknowledgement.Message));
        }
        else if (sender.Level == AcknowledgementLevel.Replied && acknowledgement.Reply is null)
        {
            sender.TrySetException(new EventBusException(StatusCode.Internal, "The machine handled the request without a reply."));
        }
        else
        {
            sender.TrySetResult(new Outcome { NewState = acknowledgement.NewState, Reply = acknowledgement.Reply });
        }
    }

    private void Drop(in ReceivedEvent oldest)
    {
        var dropped = new Acknowledgement
        {
            StatusCode = (int)StatusCode.Aborted,
            Message = $"The mailbox of the machine '{Name}' was full and dropped the event.",
        };
        Acknowledge(oldest, dropped);
        if (oldest.Link is not null)
        {
            Credit? credit;
            SessionLink? session;
            lock (_lock)
            {
                credit = GiveRoom(out session);
            }

            Grant(session, credit);
        }

        _host.Dropped(Name, Interlocked.Increment(ref _dropped));
    }

    private bool IsRepeated(Event @event)
    {
        if (@event.Sender == 0 || @event.Sequence == 0)
        {
            return false;
        }

        if (_lastSequences.Count >= MaxSenders)
        {
            _lastSequences.Clear();
        }

        ref var last = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(
            _lastSequences, @event.Sender, out _);
        if (@event.Sequence <= last)
        {
            return true;
        }

        last = @event.Sequence;
        return false;
    }

    private Task<Outcome?> Fail(StatusCode code, string message) =>
        Task.FromException<Outcome?>(new EventBusException(code, message, Name));
}
