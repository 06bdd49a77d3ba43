using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Begins and ends a client's machines and other subscriptions, here and at the hub.</summary>
internal sealed class ClientSubscriptions(
    ReceiverTable receivers, CommandQueue queue, CurrentSession session, IReceiverHost host, int receiveWindow)
{
    /// <summary>Adds a handler to a machine, which it makes if there is none of that id.</summary>
    public Task<IDisposable> Subscribe(
        string machineId, Func<BusEvent, Task> handler, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(handler);
        return SubscribeAsync(machineId, handler, cancellationToken);
    }

    /// <summary>Makes a machine, which this client must not have yet.</summary>
    public Task<IDisposable> Register(
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
        return cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<IDisposable>(cancellationToken)
            : BeginAsync(
                MakeReceiver(subscription, options ?? new MachineOptions(), handler), handler, cancellationToken);
    }

    /// <summary>Waits until a machine of whatever process is registered.</summary>
    public async Task WaitForMachineAsync(string machineId, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var (tracker, present) = PresenceTracker.AwaitMachine(machineId);
        Func<BusEvent, Task> handler = tracker.HandleAsync;
        var receiver = MakeReceiver(new Subscription { MachineChanges = machineId }, new MachineOptions(), handler);
        using var subscription = await BeginAsync(receiver, handler, cancellationToken).ConfigureAwait(false);
        var first = await Task.WhenAny(present, receiver.Ended).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (first != present)
        {
            throw await receiver.Ended.ConfigureAwait(false);
        }
    }

    /// <summary>Makes the commands by which a new session learns of all machines and subscriptions.</summary>
    public IEnumerable<PendingCommand> Restore() =>
        receivers.ListStanding().SelectMany(static receiver => CommandsFor(receiver, isRestoring: true));

    /// <summary>
    /// Lets a receiver stand that the hub has confirmed. Its subscriber is told afterwards, so that it misses no event
    /// that machines of this client send from then on.
    /// </summary>
    public void Stand(EventReceiver receiver)
    {
        if (!receiver.IsMachine)
        {
            receivers.AddObserver(receiver);
        }

        receiver.Stand();
    }

    /// <summary>
    /// Removes a receiver, and tells the hub. It does so only once: a later command would concern another machine that
    /// has the same id by then.
    /// </summary>
    public void Abandon(EventReceiver receiver)
    {
        if (!receivers.TryTakeNumberOf(receiver))
        {
            return;
        }

        // In this order: a caller that finds the machine gone and registers it anew comes after this command.
        var command = receiver.IsMachine
            ? new SessionCommand { Unregister = receiver.Subscription.Inbox }
            : new SessionCommand { Unsubscribe = receiver.Number };
        if (queue.TryAdd(new PendingMessage(command)) is null)
        {
            session.Wake();
        }

        receivers.Remove(receiver);
    }

    /// <summary>Ends all receivers. The hub is not told: the connection is gone for good.</summary>
    public void EndAll(EventBusException reason)
    {
        foreach (var receiver in receivers.All)
        {
            receivers.Remove(receiver);
            receiver.End(reason);
        }
    }

    private static List<PendingCommand> CommandsFor(EventReceiver receiver, bool isRestoring)
    {
        var commands = new List<PendingCommand>(2);
        if (receiver.Options.Groups.Count > 0)
        {
            var registration = new Registration
            {
                MachineId = receiver.Subscription.Inbox, Groups = { receiver.Options.Groups },
            };
            Add(new SessionCommand { Register = registration });
        }

        // A clone: each session writes into its own how many events there is room for.
        Add(new SessionCommand { Subscribe = receiver.Subscription.Clone() });
        return commands;

        void Add(SessionCommand command) =>
            commands.Add(new PendingMessage(command) { IsRestoring = isRestoring, Receiver = receiver });
    }

    private async Task<IDisposable> SubscribeAsync(
        string machineId, Func<BusEvent, Task> handler, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!receivers.TryGetMachine(machineId, out var machine))
            {
                if (TryAddMachine(machineId, handler, new MachineOptions(), out var added))
                {
                    return await BeginAsync(added, handler, cancellationToken).ConfigureAwait(false);
                }
            }
            else if (machine.TryAddHandler(handler))
            {
                return await JoinAsync(machine, handler, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                // The machine ends at this moment.
                await Task.Yield();
            }
        }
    }

    private async Task<IDisposable> RegisterAsync(
        string machineId, Func<BusEvent, Task> handler, MachineOptions options, CancellationToken cancellationToken)
    {
        // The hub must not hear of a machine that is not to be: for a moment nobody else could register it.
        cancellationToken.ThrowIfCancellationRequested();
        return TryAddMachine(machineId, handler, options, out var machine)
            ? await BeginAsync(machine, handler, cancellationToken).ConfigureAwait(false)
            : throw new EventBusException(
                StatusCode.AlreadyExists, $"This client has registered the machine '{machineId}' already.", machineId);
    }

    private bool TryAddMachine(
        string machineId, Func<BusEvent, Task> handler, MachineOptions options, out EventReceiver machine)
    {
        machine = MakeReceiver(new Subscription { Inbox = machineId }, options, handler);

        // From here on, events that machines of this client send to it wait in its queue: later events cannot overtake
        // them.
        return receivers.TryAddMachine(machine);
    }

    private EventReceiver MakeReceiver(Subscription subscription, MachineOptions options, Func<BusEvent, Task> handler)
    {
        subscription.Number = receivers.TakeNumber();
        return new EventReceiver(host, subscription, options, receiveWindow, handler);
    }

    private Task<IDisposable> BeginAsync(
        EventReceiver receiver, Func<BusEvent, Task> handler, CancellationToken cancellationToken)
    {
        List<PendingCommand> commands;
        try
        {
            commands = CommandsFor(receiver, isRestoring: false);
        }
        catch
        {
            receivers.Remove(receiver);
            throw;
        }

        _ = EstablishAsync(receiver, commands);
        return JoinAsync(receiver, handler, cancellationToken);
    }

    // It goes on when the caller that began it has given up waiting: others may have joined.
    private async Task EstablishAsync(EventReceiver receiver, List<PendingCommand> commands)
    {
        receivers.Add(receiver);
        try
        {
            foreach (var command in commands)
            {
                if (queue.TryAdd(command) is { } refused)
                {
                    throw refused;
                }
            }

            session.Wake();
            await Task.WhenAll(commands.Select(command => command.Task)).ConfigureAwait(false);
        }
        catch (EventBusException exception)
        {
            // Of two commands one may have succeeded.
            Abandon(receiver);
            receiver.End(exception);
        }
    }

    private async Task<IDisposable> JoinAsync(
        EventReceiver receiver, Func<BusEvent, Task> handler, CancellationToken cancellationToken)
    {
        try
        {
            await receiver.Standing.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Unsubscribe(receiver, handler);
            throw;
        }

        return new BusSubscription(receiver, () => Unsubscribe(receiver, handler));
    }

    private void Unsubscribe(EventReceiver receiver, Func<BusEvent, Task> handler)
    {
        if (receiver.RemoveHandler(handler))
        {
            Abandon(receiver);
        }
    }
}
