using GrpcShm.EventBus.Client;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// Machines and other subscriptions, and questions to the hub.
public sealed partial class EventHub
{
    /// <summary>
    /// Subscribes to a machine's events as the machine itself, and registers it if the hub's own process has not
    /// registered it yet. A second handler for the same machine gets the events, too, after the first one.
    /// </summary>
    /// <param name="machineId">The machine, unique on the hub.</param>
    /// <param name="handler">Handles the machine's events, one after the other, on the thread pool.</param>
    /// <returns>Ends the handler when disposed of. With its last handler the machine is unregistered.</returns>
    /// <exception cref="EventBusException">
    /// The machine belongs to another live process (<c>AlreadyExists</c>), or the id is not valid
    /// (<c>InvalidArgument</c>).
    /// </exception>
    public Task<IDisposable> SubscribeAsync(string machineId, Func<BusEvent, Task> handler) =>
        SubscribeAsync(machineId, handler, CancellationToken.None);

    /// <summary>
    /// As <see cref="SubscribeAsync(string, Func{BusEvent, Task})"/>, for a caller that may give up waiting.
    /// </summary>
    /// <param name="machineId">The machine, unique on the hub.</param>
    /// <param name="handler">Handles the machine's events, one after the other, on the thread pool.</param>
    /// <param name="cancellationToken">
    /// Gives up: the handler gets no events, and the machine is unregistered if it has no other.
    /// </param>
    /// <returns>Ends the handler when disposed of. With its last handler the machine is unregistered.</returns>
    /// <exception cref="EventBusException">As for the other overload.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public Task<IDisposable> SubscribeAsync(
        string machineId, Func<BusEvent, Task> handler, CancellationToken cancellationToken) =>
        Subscriptions.Subscribe(machineId, handler, cancellationToken);

    /// <summary>Registers a machine and subscribes to its events.</summary>
    /// <param name="machineId">The machine, unique on the hub.</param>
    /// <param name="handler">Handles the machine's events, one after the other, on the thread pool.</param>
    /// <param name="options">Its groups and its inbox's bounds, or <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The machine. Dispose of it to unregister it.</returns>
    /// <exception cref="EventBusException">
    /// The machine belongs to another live process or to this one already (<c>AlreadyExists</c>), or an id or a bound
    /// is not valid (<c>InvalidArgument</c>).
    /// </exception>
    public Task<LocalMachine> RegisterMachineAsync(
        string machineId,
        Func<BusEvent, Task> handler,
        MachineOptions? options = null,
        CancellationToken cancellationToken = default) =>
        Subscriptions.Register(machineId, handler, options, cancellationToken);

    /// <summary>Subscribes to copies of the events sent to a machine, which need not be registered (yet).</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="handler">Handles the copies, one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The id is not valid.</exception>
    public Task<IDisposable> SubscribeToMachineAsync(
        string machineId,
        Func<BusEvent, Task> handler,
        MachineOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        return Subscriptions.Observe(new Subscription { Machine = machineId }, handler, options, cancellationToken);
    }

    /// <summary>Subscribes to the changes of state that machines publish.</summary>
    /// <param name="machinePattern">The machine, or a pattern of ids (<c>*</c>, <c>?</c>).</param>
    /// <param name="handler">Handles each <see cref="BusEvent.StateChange"/>, one by one, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The pattern is not valid.</exception>
    public Task<IDisposable> SubscribeToStateChangesAsync(
        string machinePattern,
        Func<BusEvent, Task> handler,
        MachineOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machinePattern);
        return Subscriptions.Observe(
            new Subscription { StateChanges = machinePattern }, handler, options, cancellationToken);
    }

    /// <summary>Subscribes to copies of the events published to a group.</summary>
    /// <param name="group">The group.</param>
    /// <param name="handler">Handles the copies, one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The group's name is not valid.</exception>
    public Task<IDisposable> SubscribeToGroupAsync(
        string group,
        Func<BusEvent, Task> handler,
        MachineOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(group);
        return Subscriptions.Observe(new Subscription { Group = group }, handler, options, cancellationToken);
    }

    /// <summary>
    /// Subscribes to copies of the events that match a pattern. In it, <c>*</c> and <c>?</c> stand for any characters
    /// and for one.
    /// </summary>
    /// <param name="pattern">The patterns of source, target, name and group; an empty one matches everything.</param>
    /// <param name="handler">Handles the copies, one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The pattern is not valid.</exception>
    public Task<IDisposable> SubscribeToPatternAsync(
        EventPattern pattern,
        Func<BusEvent, Task> handler,
        MachineOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        return Subscriptions.Observe(
            new Subscription { Pattern = pattern.Clone() }, handler, options, cancellationToken);
    }

    /// <summary>Subscribes to copies of all events.</summary>
    /// <param name="handler">Handles the copies, one after the other, on the thread pool.</param>
    /// <param name="options">The bounds of the mailbox, or <see langword="null"/> for the hub's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The options are not valid.</exception>
    public Task<IDisposable> SubscribeToAllAsync(
        Func<BusEvent, Task> handler, MachineOptions? options = null, CancellationToken cancellationToken = default) =>
        Subscriptions.Observe(new Subscription { All = new AllEvents() }, handler, options, cancellationToken);

    /// <summary>
    /// Subscribes to the coming and going of machines. The handler is told first of the machines that are there, then
    /// of machines that come and go.
    /// </summary>
    /// <param name="machinePattern">The machine, or a pattern of ids (<c>*</c>, <c>?</c>).</param>
    /// <param name="handler">Handles the changes, one after the other, on the thread pool.</param>
    /// <param name="options">The mailbox's bounds, or <see langword="null"/> for the hub's. It cannot block.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Ends the subscription when disposed of.</returns>
    /// <exception cref="EventBusException">The pattern is not valid.</exception>
    public Task<IDisposable> SubscribeToMachinesAsync(
        string machinePattern,
        Func<MachinePresence, Task> handler,
        MachineOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machinePattern);
        ArgumentNullException.ThrowIfNull(handler);
        var tracker = new PresenceTracker(handler);
        return Subscriptions.Observe(
            new Subscription { MachineChanges = machinePattern }, tracker.HandleAsync, options, cancellationToken);
    }

    /// <summary>Waits until a machine is registered. From then on events can be sent to it.</summary>
    /// <param name="machineId">The machine.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="EventBusException">The id is not valid.</exception>
    public Task WaitForMachineAsync(string machineId, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(machineId);
        return Subscriptions.WaitForMachineAsync(machineId, cancellationToken);
    }

    /// <summary>Lists the machines that are registered, those of other processes included, by id.</summary>
    /// <param name="machinePattern">Only matching ids (<c>*</c>, <c>?</c>), or <see langword="null"/> for all.</param>
    /// <param name="group">Only machines in this group, or <see langword="null"/> for all.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>
    /// The machines. They are looked up in pages, so machines that come and go meanwhile may or may not be there.
    /// </returns>
    /// <exception cref="EventBusException">The pattern is not valid.</exception>
    public IAsyncEnumerable<MachineDescription> ListMachinesAsync(
        string? machinePattern = null, string? group = null, CancellationToken cancellationToken = default) =>
        _parts.Queries.ListMachinesAsync(machinePattern, group, cancellationToken);

    /// <summary>Asks the hub for its health.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The hub's health.</returns>
    public Task<HubHealth> GetHubHealthAsync(CancellationToken cancellationToken = default) =>
        _parts.Queries.GetHealthAsync(cancellationToken);
}
