using Grpc.Core;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

// How events get into the queue: from the hub, and from machines of the same client.
internal sealed partial class EventReceiver
{
    /// <summary>Puts an event from the hub in. The credit bounds how many there can be.</summary>
    /// <returns>Whether the caller has to run the receiver.</returns>
    public bool Put(SessionLink link, in IncomingDelivery delivery)
    {
        if (delivery.Level == AcknowledgementLevel.Delivered)
        {
            link.Note(new SessionCommand
            {
                Acknowledge = new Acknowledgement { Subscription = Number, Number = delivery.Number },
            });
        }

        lock (_lock)
        {
            if (_hasEnded)
            {
                return false;
            }

            _window.TakeRoom(link);
            _queue.Enqueue(new ReceivedEvent(
                delivery.Event,
                link,
                delivery.Number,
                delivery.Level,
                null,
                _repeated.IsRepeated(delivery.Sender, delivery.Event.Source, delivery.Sequence)));
            return TryRun();
        }
    }

    /// <summary>Puts an event in that came over a lane.</summary>
    /// <param name="route">The route.</param>
    /// <param name="delivery">The event, which was checked.</param>
    /// <param name="run">Whether the caller has to run the receiver.</param>
    public RoutePut Put(TargetRoute route, in IncomingDelivery delivery, out bool run)
    {
        run = false;

        // One step: who lets the route end, and says so, is in front of this event or behind it. And the number of an
        // event is noted only if it is taken.
        lock (_lock)
        {
            if (route.IsOver || _hasEnded)
            {
                return RoutePut.NotTaken;
            }

            if (!ReceiverWindow.TryTakeRoom(route))
            {
                return RoutePut.WithoutCredit;
            }

            _queue.Enqueue(new ReceivedEvent(
                delivery.Event,
                route,
                delivery.Number,
                delivery.Level,
                null,
                _repeated.IsRepeated(route.Stamp, route.Source, delivery.Sequence)));
            run = TryRun();
            return RoutePut.Taken;
        }
    }

    /// <summary>Lets a route have room that the hub has given up.</summary>
    /// <returns>
    /// How much it has at once, and how much of that is from the credit; none if it has ended, or if there is no room
    /// to share.
    /// </returns>
    public (int Room, int OfTheHub)? BeginRoute(TargetRoute route, uint credit)
    {
        lock (_lock)
        {
            // A second fence of a route has no right to more.
            return route.IsOver || _hasEnded || route.Share + route.Owed > 0 ? null : _window.Add(route, credit);
        }
    }

    /// <summary>Takes no more events of a route. Its room goes back to the hub.</summary>
    /// <returns>False if it had ended before.</returns>
    public bool EndRoute(TargetRoute route)
    {
        RoomGrant grant;
        lock (_lock)
        {
            if (route.IsOver)
            {
                return false;
            }

            route.IsOver = true;
            grant = _window.Remove(route, Number);
        }

        grant.Tell();
        return true;
    }

    /// <summary>
    /// Puts an event from a machine of the same client in. That is the event's place in the order.
    /// </summary>
    /// <returns>A task that completes when the event has come as far as the level says.</returns>
    /// <param name="event">The event.</param>
    /// <param name="level">How far it must come.</param>
    /// <param name="wait">The wait of the handler that sent it; or none.</param>
    public Task<Outcome?> PutLocal(Event @event, AcknowledgementLevel level, ClientWait? wait = null)
    {
        var sender =
            level > AcknowledgementLevel.Delivered ? new LocalSend(@event.Target, level) { Wait = wait } : null;
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

            // A machine that waits for room in its own queue would wait for itself.
            if (_queue.Count >= _window.Size && @event.Source != @event.Target)
            {
                switch (Policy)
                {
                    case OverflowPolicy.Block:
                        if (_waitingForRoom.Count >= _host.MaxPendingSends)
                        {
                            return Fail(
                                StatusCode.ResourceExhausted,
                                $"Too many sends wait for room in the mailbox of the machine '{Name}'.");
                        }

                        sender ??= new LocalSend(@event.Target, level);
                        _waitingForRoom.Enqueue(sender);
                        break;
                    case OverflowPolicy.DropNewest:
                        isDropped = true;
                        break;
                    case OverflowPolicy.Grow
                        when _queue.Count < Math.Max(Options.MailboxCapacity, _host.MaxPendingSends):
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
                _queue.Enqueue(new ReceivedEvent(new EventView(@event), null, 0, level, sender, IsRepeated: false));
            }

            run = TryRun();
        }

        if (isDropped)
        {
            // Outside of the lock: it logs.
            _host.TellOfLoss(Name, Interlocked.Increment(ref _dropped));
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

    private void Drop(in ReceivedEvent oldest)
    {
        var dropped = new Acknowledgement
        {
            StatusCode = (int)StatusCode.Aborted,
            Message = $"The mailbox of the machine '{Name}' was full and dropped the event.",
        };
        Acknowledge(oldest, dropped);
        if (oldest.Origin is not null)
        {
            RoomGrant grant;
            lock (_lock)
            {
                grant = _window.GiveRoom(Number, oldest.Origin as TargetRoute);
            }

            grant.Tell();
        }

        _host.TellOfLoss(Name, Interlocked.Increment(ref _dropped));
    }

    private Task<Outcome?> Fail(StatusCode code, string message) =>
        Task.FromException<Outcome?>(new EventBusException(code, message, Name));
}
