using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Conformance;

/// <summary>The operations that a client and the hub's own process have in common.</summary>
internal interface ITestedBus
{
    event EventHandler<EventSendFailure>? SendFailed;

    event EventHandler<EventHandlerFailure>? HandlerFailed;

    event EventHandler<EventLoss>? EventsLost;

    int PendingSends { get; }

    Task SendEventAsync(string source, string target, string name, object? payload, CancellationToken token);

    Task<EventSendResult> SendEventAsync(
        string source, string target, string name, object? payload, EventSendOptions? options, CancellationToken token);

    Task<BusEvent> RequestAsync(
        string source, string target, string name, object? payload, TimeSpan? timeout, CancellationToken token);

    Task<int> PublishAsync(string name, object? payload);

    Task<int> PublishAsync(string name, object? payload, CancellationToken token);

    Task<int> PublishAsync(string name, object? payload, EventPublishOptions? options, CancellationToken token);

    Task<int> PublishStateChangeAsync(string machineId, MachineStateChange change, CancellationToken token);

    Task<int> PublishStateChangeAsync(
        string machineId,
        MachineStateChange change,
        object? payload,
        EventSendOptions? options,
        CancellationToken token);

    Task<IDisposable> SubscribeAsync(string machineId, Func<BusEvent, Task> handler, CancellationToken token);

    Task<IDisposable> RegisterMachineAsync(
        string machineId, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token);

    Task<IDisposable> SubscribeToMachineAsync(
        string machineId, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token);

    Task<IDisposable> SubscribeToStateChangesAsync(
        string pattern, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token);

    Task<IDisposable> SubscribeToGroupAsync(
        string group, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token);

    Task<IDisposable> SubscribeToPatternAsync(
        EventPattern pattern, Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token);

    Task<IDisposable> SubscribeToAllAsync(
        Func<BusEvent, Task> handler, MachineOptions? options, CancellationToken token);

    Task<IDisposable> SubscribeToMachinesAsync(
        string pattern, Func<MachinePresence, Task> handler, MachineOptions? options, CancellationToken token);

    Task WaitForMachineAsync(string machineId, CancellationToken token);

    IAsyncEnumerable<MachineDescription> ListMachinesAsync(string? pattern, string? group, CancellationToken token);

    Task<HubHealth> GetHubHealthAsync(CancellationToken token);
}
