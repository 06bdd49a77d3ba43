using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// Machines and other subscriptions.
public sealed partial class EventClient
{
    /// <summary>
    /// Subscribes to a machine's events, as the machine: registers it if this client has not registered it yet. A second
    /// handler for the same machine gets the events, too, after the first.
    /// </summary>
    /// <param name="machineId">The machine, unique on the hub.</param>
    /// <param name="handler">Handles the machine's events, one after the other, on the thread pool.</param>
    /// <returns>Ends it when disposed of; with the machine's last handler the machine is unregistered.</returns>
    /// <exception cref="EventBusException">
    /// The machine belongs to another live process (<c>AlreadyExists</c>), the id is not valid (<c>InvalidArgument</c>), or
    /// the client is not connected (<c>Unavailable</c>).
    /// </exception>
    public Task<IDisposable> SubscribeAsync(string machineId, Func<BusEvent, Task> handler) =>
        SubscribeAsync(machineId, handler, CancellationToken.None);

    /// <summary>As <see cref="SubscribeAsync(string, Func{BusEvent, Task})"/>, for a caller that may give up waiting.</summary>
    /// <param name="machineId">The machine, unique on the hub.</param>
    /// <param name="handler">Handles the machine's events, one after the other, on the thread pool.</param>
    /// <param name="cancellationToken">Gives up: the handler gets no events, and the machine is unregistered if it has no other.</param>
    /// <returns>Ends it when disposed of; with the machine's last handler the machine is unregistered.</returns>
    /// <exception cref="EventBusException">As for the other overload.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task<IDisposable> SubscribeAsync(
        string machineId, Func<BusEvent, Task> handler, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(handler);
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!_machines.TryGetValue(machineId, out var machine))
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
                // It ends at this very moment.
                await Task.Yield();
            }
        }
    }

    /// <summary>Registers a machine and subscribes to its events.</summary>
    /// <param name="machineId">The machine, unique on the hub.</param>
    /// <param name="handler">Handles the machine's events, one after the other, on the thread pool.</param>
    /// <param name="options">Its groups and the bounds of its inbox, or <see langword="null"/> for none and the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Unregisters the machine when disposed of.</returns>
    /// <exception cref="EventBusException">
    /// The machine belongs to another live process or to this client already (<c>AlreadyExists</c>), an id or a bound is not
    /// valid (<c>InvalidArgument</c>), or the client is not connected (<c>Unavailable</c>).
    /// </exception>
    public async Task<IDisposable> RegisterMachineAsync(
        string machineId,
        Func<BusEvent, Task> handler,
        MachineOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        ArgumentNullException.ThrowIfNull(handler);
        return TryAddMachine(machineId, handler, options ?? new MachineOptions(), out var machine)
            ? await BeginAsync(machine, handler, cancellationToken).ConfigureAwait(false)
            : throw new EventBusException(
                StatusCode.AlreadyExists, $"This client has registered the machine '{machineId}' already.", machineId);
    }

    /// <summary>Subscribes to copies of the events sent to a machine, which need not be registered (yet).</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="handler">Handles the copies, one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The id is not valid, or the client is not connected.</exception>
    public Task<IDisposable> SubscribeToMachineAsync(
        string machineId, Func<BusEvent, Task> handler, MachineOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        return ObserveAsync(new Subscription { Machine = machineId }, handler, options, cancellationToken);
    }

    /// <summary>Subscribes to the changes of state that machines publish.</summary>
    /// <param name="machinePattern">The machine, or a pattern of ids (<c>*</c>, <c>?</c>).</param>
    /// <param name="handler">Handles the changes (<see cref="BusEvent.StateChange"/>), one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The pattern is not valid, or the client is not connected.</exception>
    public Task<IDisposable> SubscribeToStateChangesAsync(
        string machinePattern, Func<BusEvent, Task> handler, MachineOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machinePattern);
        return ObserveAsync(new Subscription { StateChanges = machinePattern }, handler, options, cancellationToken);
    }

    /// <summary>Subscribes to copies of the events published to a group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="handler">Handles the copies, one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The group's name is not valid, or the client is not connected.</exception>
    public Task<IDisposable> SubscribeToGroupAsync(
        string group, Func<BusEvent, Task> handler, MachineOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(group);
        return ObserveAsync(new Subscription { Group = group }, handler, options, cancellationToken);
    }

    /// <summary>Subscribes to copies of the events that match a pattern. In it, <c>*</c> and <c>?</c> stand for any characters and for one.</summary>
    /// <param name="pattern">What source, target and name must match; an empty part matches everything.</param>
    /// <param name="handler">Handles the copies, one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The pattern is not valid, or the client is not connected.</exception>
    public Task<IDisposable> SubscribeToPatternAsync(
        EventPattern pattern, Func<BusEvent, Task> handler, MachineOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return ObserveAsync(new Subscription { Pattern = pattern.Clone() }, handler, options, cancellationToken);
    }

    /// <summary>Subscribes to copies of all events.</summary>
    /// <param name="handler">Handles the copies, one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The client is not connected.</exception>
    public Task<IDisposable> SubscribeToAllAsync(
        Func<BusEvent, Task> handler, MachineOptions? options = null, CancellationToken cancellationToken = default) =>
        ObserveAsync(new Subscription { All = new AllEvents() }, handler, options, cancellationToken);

    private static List<PendingCommand> CommandsFor(EventReceiver receiver, bool isRestoring)
    {
        var commands = new List<PendingCommand>(2);
        if (receiver.Options.Groups.Count > 0)
        {
            var registration = new Registration { MachineId = receiver.Subscription.Inbox, Groups = { receiver.Options.Groups } };
            commands.Add(new PendingCommand(new SessionCommand { Register = registration }, registration.CalculateSize())
            {
                IsRestoring = isRestoring, Receiver = receiver,
            });
        }

        // Of its own: each session says in it how much there is room for.
        commands.Add(new PendingCommand(new SessionCommand { Subscribe = receiver.Subscription.Clone() }, CommandOverhead)
        {
            IsRestoring = isRestoring, Receiver = receiver,
        });
        return commands;
    }

    private Task<IDisposable> ObserveAsync(
        Subscription subscription, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return BeginAsync(MakeReceiver(subscription, options ?? new MachineOptions(), handler), handler, cancellationToken);
    }

    private bool TryAddMachine(
        string machineId, Func<BusEvent, Task> handler, MachineOptions options, out EventReceiver machine)
    {
        machine = MakeReceiver(new Subscription { Inbox = machineId }, options, handler);

        // From here on, what machines of this client send to it waits in its queue: it cannot be overtaken by later events.
        return _machines.TryAdd(machineId, machine);
    }

    private EventReceiver MakeReceiver(Subscription subscription, MachineOptions options, Func<BusEvent, Task> handler)
    {
        subscription.Number = (uint)Interlocked.Increment(ref _lastReceiver);
        return new EventReceiver(new ReceiverHost(this), subscription, options, _options.ReceiveWindow, handler);
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
            Remove(receiver);
            throw;
        }

        _ = EstablishAsync(receiver, commands);
        return JoinAsync(receiver, handler, cancellationToken);
    }

    // Goes on when whoever began it has given up waiting: others may have joined.
    private async Task EstablishAsync(EventReceiver receiver, List<PendingCommand> commands)
    {
        _receivers[receiver.Number] = receiver;
        try
        {
            foreach (var command in commands)
            {
                if (_queue.TryAdd(command) is { } refused)
                {
                    throw refused;
                }
            }

            Volatile.Read(ref _link)?.Wake();
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

    // Once only: a later command would concern whoever has the machine's id then.
    private void Abandon(EventReceiver receiver)
    {
        if (!_receivers.TryRemove(receiver.Number, out _))
        {
            return;
        }

        // In this order: whoever finds the machine gone and registers it anew comes after this command.
        var command = receiver.IsMachine
            ? new SessionCommand { Unregister = receiver.Subscription.Inbox }
            : new SessionCommand { Unsubscribe = receiver.Number };
        if (_queue.TryAdd(new PendingCommand(command, CommandOverhead)) is null)
        {
            Volatile.Read(ref _link)?.Wake();
        }

        Remove(receiver);
    }

    private void Remove(EventReceiver receiver)
    {
        _receivers.TryRemove(receiver.Number, out _);
        if (receiver.IsMachine)
        {
            _machines.TryRemove(new KeyValuePair<string, EventReceiver>(receiver.Subscription.Inbox, receiver));
            return;
        }

        lock (_connectionLock)
        {
            Volatile.Write(ref _observers, [.. _observers.Where(observer => observer != receiver)]);
        }
    }

    // Before whoever subscribed is told: it sees what machines of this client send from then on.
    private void Stand(EventReceiver receiver)
    {
        if (!receiver.IsMachine)
        {
            lock (_connectionLock)
            {
                if (!receiver.HasEnded && !_observers.Contains(receiver))
                {
                    Volatile.Write(ref _observers, [.. _observers, receiver]);
                }
            }
        }

        receiver.Stand();
    }

    private void ReportLoss(string name, long dropped)
    {
        if (_losses.Next(out var leftOut))
        {
            WriteLeftOut(nameof(EventBusLog.EventsDropped), leftOut);
            _logger.EventsDropped(name, dropped);
        }

        Raise(EventsLost, new EventLoss(name, dropped));
    }

    private sealed class ReceiverHost(EventClient client) : IReceiverHost
    {
        public PayloadCodecs Codecs => client._codecs;

        public int MaxPendingSends => client._options.MaxPendingSends;

        public ClientWaits Waits => client._waits;

        public HandlingScope Handling(BusEvent received) =>
            new(EventTracing.Process(received.Raw), client._metrics.MeasuresProcessing ? Stopwatch.GetTimestamp() : 0);

        public void Handled(BusEvent received, HandlingScope scope, bool failed)
        {
            client._metrics.Processed(scope.Started, received.TargetMachineId, failed);
            if (scope.Activity is { } activity)
            {
                EventTracing.SetFailure(activity, failed ? StatusCode.Unknown : StatusCode.OK, null);
                activity.Dispose();
            }
        }

        public void HandlerFailed(string name, BusEvent received, Exception exception)
        {
            client._logger.HandlerFailed(name, exception);
            client.Raise(client.HandlerFailed, new EventHandlerFailure(received, exception));
        }

        public void Dropped(string name, long dropped) => client.ReportLoss(name, dropped);
    }
}
