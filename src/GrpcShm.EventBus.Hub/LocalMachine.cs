using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Flows;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

/// <summary>A machine in the hub's own process. Made by <see cref="EventHub.AddMachine"/>.</summary>
public sealed class LocalMachine : IAsyncDisposable
{
    private readonly HubCore _hub;
    private readonly MachineOwner _owner;
    private readonly Outbox _outbox;
    private readonly LiveSubscription _subscription;
    private readonly Func<Event, CancellationToken, ValueTask<Acknowledgement?>> _handler;
    private readonly HubOrigin _origin = new();
    private readonly CancellationTokenSource _disposing = new();
    private readonly Task _running;
    private RoutingContext? _context;

    internal LocalMachine(
        HubCore hub,
        MachineOwner owner,
        Outbox outbox,
        LiveSubscription subscription,
        Func<Event, CancellationToken, ValueTask<Acknowledgement?>> handler)
    {
        (_hub, _owner, _outbox, _subscription, _handler) = (hub, owner, outbox, subscription, handler);
        _running = LongLived.Start(RunAsync);
    }

    /// <summary>The machine's id.</summary>
    public string Id => _subscription.Subscriber.InboxOf;

    /// <summary>
    /// Sends an event from this machine. It takes its place in the order before this method returns, unless it must wait
    /// for room in the target's mailbox.
    /// </summary>
    /// <param name="event">The event; its source is set to this machine if it is empty. It must not be changed afterwards.</param>
    /// <param name="cancellationToken">Gives up waiting for room.</param>
    /// <exception cref="RpcException">
    /// The target is unknown or dead (<c>NOT_FOUND</c>), its mailbox is full (<c>RESOURCE_EXHAUSTED</c>), or the event is not
    /// valid (<c>INVALID_ARGUMENT</c>).
    /// </exception>
    public ValueTask SendAsync(Event @event, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(@event);
        if (@event.Source.Length == 0)
        {
            @event.Source = Id;
        }

        var activity = EventTracing.Begin(@event, MessagingOperation.Send(@event.Target));

        // Taken while in use: a second sender at the same moment makes one of its own.
        var context = Interlocked.Exchange(ref _context, null) ?? new RoutingContext();
        var verdict = _hub.Router.Send(@event, null, _origin, context);
        if (context.MustWait)
        {
            return WaitForRoomAsync(context, @event.Target, activity, cancellationToken);
        }

        context.SignalAll();
        Volatile.Write(ref _context, context);
        Sent(@event.Target, activity, verdict);
        return verdict.IsOk ? ValueTask.CompletedTask : ValueTask.FromException(verdict.ToException());
    }

    /// <summary>Unregisters the machine and waits for its handler to return.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposing.IsCancellationRequested)
        {
            return;
        }

        await _disposing.CancelAsync().ConfigureAwait(false);
        _hub.Machines.End(_owner, MachineChangeKind.Unregistered, "It was disposed of.");
        _hub.Router.Unsubscribe(_subscription);
        _outbox.Signal();
        await _running.ConfigureAwait(false);
        _disposing.Dispose();
    }

    private void Sent(string target, Activity? activity, Verdict verdict)
    {
        EventTracing.End(activity, verdict.Code, verdict.Message);
        _hub.Messaging.Sent(MessagingOperation.Send(target), verdict.Code);
    }

    private async ValueTask WaitForRoomAsync(
        RoutingContext context, string target, Activity? activity, CancellationToken cancellationToken)
    {
        Verdict verdict;
        try
        {
            (verdict, _) = await context.WaitForRoomAsync(_hub.Options, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            Sent(target, activity, new Verdict(StatusCode.Cancelled, exception.Message, target));
            throw;
        }

        Sent(target, activity, verdict);
        if (!verdict.IsOk)
        {
            throw verdict.ToException();
        }
    }

    private async Task RunAsync()
    {
        var items = new MailItem[64];
        var delivery = new Delivery();
        while (!_disposing.IsCancellationRequested)
        {
            while (_outbox.TryTakeReady(out var subscriber))
            {
                var taken = subscriber!.Take(items, int.MaxValue);
                for (var i = 0; i < taken; i++)
                {
                    subscriber.Fill(delivery, items[i]);
                    items[i] = default;
                    await HandleAsync(subscriber, delivery).ConfigureAwait(false);
                }

                _hub.Metrics.Delivered(taken);
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

        using var activity = EventTracing.Process(delivery.Event);
        var started = _hub.Messaging.MeasuresProcessing ? Stopwatch.GetTimestamp() : 0;
        Acknowledgement? acknowledgement;
        var failed = false;
        try
        {
            acknowledgement = await _handler(delivery.Event, _disposing.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            failed = true;
            if (activity is not null)
            {
                EventTracing.SetFailure(activity, StatusCode.Unknown, exception.Message);
            }

            _hub.Logger.HandlerFailed(Id, exception);
            acknowledgement = new Acknowledgement
            {
                StatusCode = (int)StatusCode.Unknown,
                Message = PeerText.Clean($"The handler of the machine '{Id}' failed: {exception.Message}", PeerText.MaxSentence),
            };
        }

        _hub.Messaging.Processed(started, Id, failed);
        if (number != 0 && level > AcknowledgementLevel.Delivered)
        {
            acknowledgement ??= new Acknowledgement();
            acknowledgement.Number = number;
            _hub.Router.Acknowledge(subscriber, acknowledgement, _origin);
        }
    }
}
