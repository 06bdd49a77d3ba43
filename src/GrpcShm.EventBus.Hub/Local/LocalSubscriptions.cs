using System.Collections.Concurrent;
using Grpc.Core;
using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Budgets;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Service;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Local;

/// <summary>Begins and ends the machines and other subscriptions of the hub's own process.</summary>
/// <remarks>There is no connection to wait for. A failure comes by the task all the same, as for a client.</remarks>
internal sealed class LocalSubscriptions(
    HubCore hub, PayloadCodecs codecs, EventInstruments instruments, RaisedEvents events)
{
    private readonly ConcurrentDictionary<string, LocalReceiver> _machines = new(StringComparer.Ordinal);

    /// <summary>Adds a handler to a machine, which it makes if this process has none of that id.</summary>
    public Task<IDisposable> Subscribe(
        string machineId, Func<BusEvent, Task> handler, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(handler);
        return SubscribeAsync(machineId, handler, cancellationToken);
    }

    /// <summary>Makes a machine, which this process must not have yet.</summary>
    public Task<LocalMachine> Register(
        string machineId, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(handler);
        return RegisterAsync(machineId, handler, options ?? new MachineOptions(), cancellationToken);
    }

    /// <summary>Makes a subscription that is no machine.</summary>
    public Task<IDisposable> Observe(
        Subscription subscription,
        Func<BusEvent, Task> handler,
        MachineOptions? options,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return ObserveAsync(subscription, handler, options ?? new MachineOptions(), cancellationToken);
    }

    /// <summary>Waits until a machine of whatever process is registered.</summary>
    public async Task WaitForMachineAsync(string machineId, CancellationToken cancellationToken)
    {
        var (tracker, present) = PresenceTracker.AwaitMachine(machineId);
        using var subscription = await Observe(
            new Subscription { MachineChanges = machineId }, tracker.HandleAsync, null, cancellationToken)
            .ConfigureAwait(false);
        await present.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task<IDisposable> SubscribeAsync(
        string machineId, Func<BusEvent, Task> handler, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!_machines.TryGetValue(machineId, out var machine))
            {
                machine = MakeReceiver(new Subscription { Inbox = machineId }, new MachineOptions(), handler);
                if (_machines.TryAdd(machineId, machine))
                {
                    Begin(machine, new Registration { MachineId = machineId });
                    return new BusSubscription(machine, () => Unsubscribe(machine, handler));
                }
            }
            else if (machine.TryAddHandler(handler))
            {
                await machine.Standing.ConfigureAwait(false);
                return new BusSubscription(machine, () => Unsubscribe(machine, handler));
            }

            // The machine ends at this moment, or another caller has just made it.
            await Task.Yield();
        }
    }

    private async Task<LocalMachine> RegisterAsync(
        string machineId, Func<BusEvent, Task> handler, MachineOptions options, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var machine = MakeReceiver(new Subscription { Inbox = machineId }, options, handler);

        // Before the machine is in the table: reading the caller's groups may throw.
        var registration = new Registration { MachineId = machineId, Groups = { options.Groups } };
        if (!_machines.TryAdd(machineId, machine))
        {
            throw new EventBusException(
                StatusCode.AlreadyExists,
                $"The hub's own process has registered the machine '{machineId}' already.",
                machineId);
        }

        Begin(machine, registration);
        return new LocalMachine(machine, () => Unsubscribe(machine, handler));
    }

    private async Task<IDisposable> ObserveAsync(
        Subscription subscription,
        Func<BusEvent, Task> handler,
        MachineOptions options,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var receiver = MakeReceiver(subscription, options, handler);

        // A subscription that is no machine has no id to be a member of groups by: it is refused for its empty id.
        var live = Begin(receiver, options.Groups.Count == 0 ? null : new Registration { Groups = { options.Groups } });
        if (live.Silence is { } silence)
        {
            await WaitAsync(receiver, handler, silence, cancellationToken).ConfigureAwait(false);
        }

        return new BusSubscription(receiver, () => Unsubscribe(receiver, handler));
    }

    // A subscription that could miss events does not stand.
    private async Task WaitAsync(
        LocalReceiver receiver, Func<BusEvent, Task> handler, RouteSilence silence, CancellationToken cancellationToken)
    {
        try
        {
            await silence.WaitAsync(hub.Options.RouteWithdrawalTimeout, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Unsubscribe(receiver, handler);
            throw;
        }
    }

    private LocalReceiver MakeReceiver(Subscription filter, MachineOptions options, Func<BusEvent, Task> handler)
    {
        filter.Mailbox = options.ToMailbox();
        var owner = new MachineOwner(PeerIdentity.Hub, new SessionBudget(hub.Budget), "", "hub", isLease: false);
        return new LocalReceiver(hub, codecs, instruments, events, owner, filter, handler);
    }

    private LiveSubscription Begin(LocalReceiver receiver, Registration? registration)
    {
        var context = new RoutingContext();
        LiveSubscription? live = null;
        var verdict = registration is null ? Verdict.Ok : Register(receiver, registration);
        if (verdict.IsOk)
        {
            verdict = hub.Router.Subscribe(receiver.Owner, receiver.Filter, receiver.Outbox, context, out live);
        }

        if (verdict.IsOk)
        {
            receiver.Stand(live!);
        }
        else
        {
            hub.Machines.End(
                receiver.Owner, MachineChangeKind.Unregistered, "The subscription to its inbox was refused.");
        }

        // Wakes the watchers of machines, and the loop for events that have waited for the inbox.
        context.SignalAll();
        if (!verdict.IsOk)
        {
            var refused = verdict.ToBusException();
            receiver.Refuse(refused);
            Forget(receiver);
            throw refused;
        }

        return live!;
    }

    private Verdict Register(LocalReceiver receiver, Registration registration)
    {
        var verdict = hub.Limits.Check(registration);
        return verdict.IsOk
            ? hub.Machines.Register(receiver.Owner, registration.MachineId, registration.Groups, out _)
            : verdict;
    }

    private void Unsubscribe(LocalReceiver receiver, Func<BusEvent, Task> handler)
    {
        if (receiver.RemoveHandler(handler))
        {
            // In this order: a caller that finds the machine gone here can register it anew.
            receiver.Leave();
            Forget(receiver);
        }
    }

    private void Forget(LocalReceiver receiver)
    {
        if (receiver.IsMachine)
        {
            _machines.TryRemove(new KeyValuePair<string, LocalReceiver>(receiver.Filter.Inbox, receiver));
        }
    }
}
