using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Conformance;

/// <summary>A client under test.</summary>
internal sealed class ClientBus(EventClient bus) : ITestedBus
{
    public event EventHandler<EventSendFailure>? SendFailed
    {
        add => bus.SendFailed += value;
        remove => bus.SendFailed -= value;
    }

    public event EventHandler<EventHandlerFailure>? HandlerFailed
    {
        add => bus.HandlerFailed += value;
        remove => bus.HandlerFailed -= value;
    }

    public event EventHandler<EventLoss>? EventsLost
    {
        add => bus.EventsLost += value;
        remove => bus.EventsLost -= value;
    }

    public int PendingSends => bus.PendingSends;

    public Task SendEventAsync(string source, string target, string name, object? payload, CancellationToken token) =>
        bus.SendEventAsync(source, target, name, payload, token);

    public Task<EventSendResult> SendEventAsync(
        string source,
        string target,
        string name,
        object? payload,
        EventSendOptions? options,
        CancellationToken token) =>
        bus.SendEventAsync(source, target, name, payload, options, token);

    public Task<BusEvent> RequestAsync(
        string source, string target, string name, object? payload, TimeSpan? timeout, CancellationToken token) =>
        bus.RequestAsync(source, target, name, payload, timeout, token);

    public Task<int> PublishAsync(string name, object? payload) =>
        bus.PublishAsync(name, payload);

    public Task<int> PublishAsync(string name, object? payload, CancellationToken token) =>
        bus.PublishAsync(name, payload, token);

    public Task<int> PublishAsync(
        string name, object? payload, EventPublishOptions? options, CancellationToken token) =>
        bus.PublishAsync(name, payload, options, token);

    public Task<int> PublishStateChangeAsync(string machineId, MachineStateChange change, CancellationToken token) =>
        bus.PublishStateChangeAsync(machineId, change, token);

    public Task<int> PublishStateChangeAsync(
        string machineId,
        MachineStateChange change,
        object? payload,
        EventSendOptions? options,
        CancellationToken token) =>
        bus.PublishStateChangeAsync(machineId, change, payload, options, token);

    public Task<IDisposable> SubscribeAsync(string machineId, Func<BusEvent, Task> handler, CancellationToken token) =>
        bus.SubscribeAsync(machineId, handler, token);

    public async Task<IDisposable> RegisterMachineAsync(
        string machineId, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token) =>
        await bus.RegisterMachineAsync(machineId, handler, options, token);

    public Task<IDisposable> SubscribeToMachineAsync(
        string machineId, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token) =>
        bus.SubscribeToMachineAsync(machineId, handler, options, token);

    public Task<IDisposable> SubscribeToStateChangesAsync(
        string pattern, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token) =>
        bus.SubscribeToStateChangesAsync(pattern, handler, options, token);

    public Task<IDisposable> SubscribeToGroupAsync(
        string group, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token) =>
        bus.SubscribeToGroupAsync(group, handler, options, token);

    public Task<IDisposable> SubscribeToPatternAsync(
        EventPattern pattern, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token) =>
        bus.SubscribeToPatternAsync(pattern, handler, options, token);

    public Task<IDisposable> SubscribeToAllAsync(
        Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token) =>
        bus.SubscribeToAllAsync(handler, options, token);

    public Task<IDisposable> SubscribeToMachinesAsync(
        string pattern, Func<MachinePresence, Task> handler, MachineOptions? options, CancellationToken token) =>
        bus.SubscribeToMachinesAsync(pattern, handler, options, token);

    public Task WaitForMachineAsync(string machineId, CancellationToken token) =>
        bus.WaitForMachineAsync(machineId, token);

    public IAsyncEnumerable<MachineDescription> ListMachinesAsync(
        string? pattern, string? group, CancellationToken token) =>
        bus.ListMachinesAsync(pattern, group, token);

    public Task<HubHealth> GetHubHealthAsync(CancellationToken token) =>
        bus.GetHubHealthAsync(token);
}
