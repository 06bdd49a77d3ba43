using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Flows;
using GrpcShm.EventBus.Local;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>A machine in the hub's own process. Made by <see cref="EventHub.RegisterMachineAsync"/>.</summary>
public sealed class LocalMachine : IDisposable, IAsyncDisposable
{
    private readonly HubCore _hub;
    private readonly MachineOwner _owner;
    private readonly Outbox _outbox;
    private readonly LiveSubscription _subscription;
    private readonly PayloadCodecs _codecs;
    private readonly Func<BusEvent, Task> _handler;
    private readonly HubOrigin _origin = new();
    private readonly Task _running;

    // The machine's state, which its handler sets. Of the loop that runs the handler.
    private string? _state;

    // Set once, by whoever disposes of the machine first. Read by the loop, which that one wakes afterwards.
    private int _isDisposed;

    internal LocalMachine(
        HubCore hub,
        MachineOwner owner,
        Outbox outbox,
        LiveSubscription subscription,
        PayloadCodecs codecs,
        Func<BusEvent, Task> handler)
    {
        (_hub, _owner, _outbox, _subscription, _codecs, _handler) = (hub, owner, outbox, subscription, codecs, handler);
        Waits = new LocalWaits(hub, Id);
        _running = LongLived.Start(RunAsync);
    }

    /// <summary>The machine's id.</summary>
    public string Id => _subscription.Subscriber.InboxOf;

    /// <summary>What its handler waits for.</summary>
    internal LocalWaits Waits { get; }

    internal bool IsOf(HubCore hub) => _hub == hub;

    /// <summary>
    /// Unregisters the machine. A handler that runs is not waited for; so the handler itself may call this.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            _hub.Machines.End(_owner, MachineChangeKind.Unregistered, "It was disposed of.");
            _hub.Router.Unsubscribe(_subscription);
            _outbox.Signal();
        }
    }

    /// <summary>
    /// Unregisters the machine and waits for its handler to return. Not for the handler itself to await: it would wait
    /// for its own end.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Dispose();
        await _running.ConfigureAwait(false);
    }

    private async Task RunAsync()
    {
        var items = new MailItem[64];
        var delivery = new Delivery();
        while (Volatile.Read(ref _isDisposed) == 0)
        {
            while (_outbox.TryTakeReady(out var subscriber))
            {
                var taken = subscriber!.Take(items, int.MaxValue);
                for (var i = 0; i < taken; i++)
                {
                    var item = items[i];
                    items[i] = default;
                    if (Volatile.Read(ref _isDisposed) != 0)
                    {
                        // Taken, and not delivered to a handler: nobody else can tell its sender.
                        item.Pending?.FailGone();
                        continue;
                    }

                    subscriber.Fill(delivery, item);
                    await HandleAsync(subscriber, delivery).ConfigureAwait(false);
                }

                _hub.Metrics.CountDelivered(taken);
            }

            await _outbox.WaitAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask HandleAsync(Subscriber subscriber, Delivery delivery)
    {
        var (number, level) = (delivery.Number, delivery.Acknowledgement);
        if (level == AcknowledgementLevel.Delivered)
        {
            _hub.Router.Acknowledge(subscriber, new Acknowledgement { Number = number }, _origin);
        }

        var received = new BusEvent(delivery.Event, _codecs)
        {
            HandledBy = this,
            NewState = _state,
            IsRequest = level == AcknowledgementLevel.Replied,
        };
        var activity = EventTracing.Process(delivery.Event);
        var started = _hub.Messaging.MeasuresProcessing ? Stopwatch.GetTimestamp() : 0;
        Acknowledgement? failure = null;

        // Ends with this method.
        HandlerFlow.Begin(received);
        try
        {
            await _handler(received).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _hub.Logger.HandlerFailed(Id, exception);
            var message = $"The handler of the machine '{Id}' failed: {exception.Message}";
            failure = new Acknowledgement
            {
                StatusCode = (int)StatusCode.Unknown, Message = PeerText.Clean(message, PeerText.MaxSentence),
            };
        }

        received.HasBeenHandled = true;
        Waits.EndAll();
        _state = received.NewState;
        _hub.Messaging.Processed(started, Id, failure is not null);
        if (activity is not null)
        {
            EventTracing.SetFailure(activity, failure is null ? StatusCode.OK : StatusCode.Unknown, failure?.Message);
            activity.Dispose();
        }

        if (number != 0 && level > AcknowledgementLevel.Delivered)
        {
            var answer = failure ?? new Acknowledgement { NewState = _state ?? "", Reply = received.ReplyEvent };
            answer.Number = number;
            _hub.Router.Acknowledge(subscriber, answer, _origin);
        }
    }
}
