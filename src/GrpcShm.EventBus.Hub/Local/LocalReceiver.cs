using System.Diagnostics.CodeAnalysis;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Flows;
using GrpcShm.EventBus.Forwarding;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Local;

/// <summary>
/// A machine of the hub's own process, or another subscription of it: the loop that takes its events out of its mailbox
/// and hands one after the other to the handlers.
/// </summary>
internal sealed class LocalReceiver : IPausable
{
    private const int BatchSize = 64;

    private readonly HubCore _hub;
    private readonly PayloadCodecs _codecs;
    private readonly EventInstruments _instruments;
    private readonly RaisedEvents _events;
    private readonly HubOrigin _origin = new();
    private readonly TaskCompletionSource _standing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();

    // Replaced under the lock, read by the loop without it: an array here does not change any more.
    private Func<BusEvent, Task>[] _handlers;

    // Whether it has ended, and how often it is paused. Both are written under the lock, and the loop reads them
    // without it: a thread that changes one signals the outbox afterwards, so that the loop looks again.
    private bool _hasEnded;
    private int _pauses;

    // Set before the receiver stands, and read by the caller that ends it afterwards.
    private LiveSubscription? _live;
    private Task _running = Task.CompletedTask;

    // The machine's state, which its handlers set. Only the loop uses it.
    private string? _state;

    public LocalReceiver(
        HubCore hub,
        PayloadCodecs codecs,
        EventInstruments instruments,
        RaisedEvents events,
        MachineOwner owner,
        Subscription filter,
        Func<BusEvent, Task> handler)
    {
        (_hub, _codecs, _instruments, _events) = (hub, codecs, instruments, events);
        (Owner, Filter, _handlers) = (owner, filter, [handler]);
        Waits = IsMachine ? new LocalWaits(hub, filter.Inbox) : null;
    }

    public MachineOwner Owner { get; }

    public Subscription Filter { get; }

    public Outbox Outbox { get; } = new(runWriterInline: false);

    [MemberNotNullWhen(true, nameof(Waits))]
    public bool IsMachine => Filter.FilterCase == Subscription.FilterOneofCase.Inbox;

    /// <summary>The machine's id, or a description of the filter.</summary>
    public string Name => IsMachine ? Filter.Inbox : Filter.ToString();

    /// <summary>The machines that its handlers wait for; none if it is no machine.</summary>
    public LocalWaits? Waits { get; }

    /// <summary>Completes when the subscription stands, or fails with the reason why it does not.</summary>
    public Task Standing => _standing.Task;

    /// <summary>Completes when the receiver has ended and no handler of it runs any more.</summary>
    public Task Running => _running;

    public bool HasEnded => Volatile.Read(ref _hasEnded);

    private bool IsPaused => Volatile.Read(ref _pauses) > 0;

    public bool IsOf(HubCore hub) => _hub == hub;

    /// <summary>Lets events go to the handlers: the hub has taken the subscription.</summary>
    public void Stand(LiveSubscription live)
    {
        _live = live;
        _running = LongLived.Start(() => RunAsync(live.Subscriber));
        _standing.SetResult();
    }

    /// <summary>Ends the receiver: the hub has refused the subscription.</summary>
    public void Refuse(EventBusException reason)
    {
        lock (_lock)
        {
            Volatile.Write(ref _hasEnded, true);
        }

        _standing.SetException(reason);
        _ = _standing.Task.Exception;
    }

    /// <summary>Adds a handler, unless the receiver has ended.</summary>
    public bool TryAddHandler(Func<BusEvent, Task> handler)
    {
        lock (_lock)
        {
            if (!_hasEnded)
            {
                Volatile.Write(ref _handlers, [.. _handlers, handler]);
            }

            return !_hasEnded;
        }
    }

    /// <summary>Removes a handler. Without its last one the receiver ends.</summary>
    /// <returns>
    /// True if the receiver ended by that. Then the caller takes it off the hub by <see cref="Leave"/>.
    /// </returns>
    public bool RemoveHandler(Func<BusEvent, Task> handler)
    {
        lock (_lock)
        {
            var handlers = _handlers.ToList();
            if (_hasEnded || !handlers.Remove(handler))
            {
                return false;
            }

            Volatile.Write(ref _handlers, [.. handlers]);
            Volatile.Write(ref _hasEnded, handlers.Count == 0);
            return _hasEnded;
        }
    }

    /// <summary>
    /// Unregisters its machine and ends its subscription. A handler that runs is not waited for, so the handler itself
    /// may call this.
    /// </summary>
    public void Leave()
    {
        _hub.Machines.End(Owner, MachineChangeKind.Unregistered, "It was disposed of.");
        _hub.Router.Unsubscribe(_live!);
        Outbox.Signal();
    }

    public void Pause() => ChangePauses(1);

    public void Resume()
    {
        ChangePauses(-1);
        Outbox.Signal();
    }

    private void ChangePauses(int change)
    {
        lock (_lock)
        {
            Volatile.Write(ref _pauses, _pauses + change);
        }
    }

    private async Task RunAsync(Subscriber subscriber)
    {
        var items = new MailItem[BatchSize];
        while (!HasEnded)
        {
            while (!IsPaused && Outbox.TryTakeReady(out _))
            {
                var taken = subscriber.Take(items, int.MaxValue);
                for (var i = 0; i < taken; i++)
                {
                    var item = items[i];
                    items[i] = default;
                    await WaitWhilePausedAsync().ConfigureAwait(false);

                    // Read once: a handler that is removed from here on still gets this event.
                    var handlers = Volatile.Read(ref _handlers);
                    if (HasEnded || handlers.Length == 0)
                    {
                        // The event was taken out and gets to no handler. Only this code can tell its sender.
                        item.Pending?.FailGone();
                        continue;
                    }

                    await HandleAsync(subscriber, subscriber.Deliver(item), handlers).ConfigureAwait(false);
                }

                _hub.Metrics.CountDelivered(taken);
                if (subscriber.TakeLoss() is > 0 and var lost)
                {
                    _events.TellOfLoss(Name, lost);
                }
            }

            // The signal of the end may have been taken by the wait in the middle of a batch.
            if (!HasEnded)
            {
                await Outbox.WaitAsync().ConfigureAwait(false);
            }
        }
    }

    // An event that comes meanwhile signals the outbox, too. It stays in the mailbox until the loop looks again.
    private async ValueTask WaitWhilePausedAsync()
    {
        while (IsPaused && !HasEnded)
        {
            await Outbox.WaitAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask HandleAsync(
        Subscriber subscriber, OutgoingDelivery delivery, Func<BusEvent, Task>[] handlers)
    {
        var (number, level) = (delivery.Number, delivery.Level);
        if (level == AcknowledgementLevel.Delivered)
        {
            _hub.Router.Acknowledge(subscriber, new Acknowledgement { Number = number }, null, _origin);
        }

        var @event = delivery.Event.ToMessage();
        var received = new BusEvent(@event, _codecs)
        {
            HandledBy = this,
            NewState = _state,
            IsRequest = level == AcknowledgementLevel.Replied,
        };
        Acknowledgement? failure = null;
        var handling = _instruments.BeginHandling(@event);

        // The flow ends with this method.
        HandlerFlow.Begin(received);
        try
        {
            foreach (var handler in handlers)
            {
                await handler(received).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            var message = $"The handler of the machine '{Name}' failed: {exception.Message}";
            failure = new Acknowledgement
            {
                StatusCode = (int)StatusCode.Unknown, Message = PeerText.Clean(message, PeerText.MaxSentence),
            };
            _events.TellOfFailedHandler(Name, received, exception);
        }

        received.HasBeenHandled = true;
        Waits?.EndAll();
        _instruments.EndHandling(handling, received.TargetMachineId, failure?.Message);
        _state = received.NewState;
        if (number != 0 && level > AcknowledgementLevel.Delivered)
        {
            var answer = failure ?? new Acknowledgement { NewState = _state ?? "" };
            answer.Number = number;
            var reply = failure is null ? RoutedEvent.Of(received.ReplyEvent) : null;
            _hub.Router.Acknowledge(subscriber, answer, reply, _origin);
        }
    }
}
