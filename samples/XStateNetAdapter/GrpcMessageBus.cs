using GrpcShm.EventBus;
using Samples.XStateNetAdapter.Bus;

namespace Samples.XStateNetAdapter;

/// <summary>XStateNet's message bus over the event service. This class is all that is needed.</summary>
internal sealed class GrpcMessageBus(EventClient client) : IMessageBus
{
    public Task ConnectAsync() => client.ConnectAsync();

    public Task DisconnectAsync() => client.DisconnectAsync();

    public Task SendEventAsync(
        string sourceMachineId, string targetMachineId, string eventName, object? payload = null) =>
        client.SendEventAsync(sourceMachineId, targetMachineId, eventName, payload);

    public Task PublishAsync(string eventName, object? payload = null) => client.PublishAsync(eventName, payload);

    public Task<IDisposable> SubscribeAsync(string machineId, Func<MachineEvent, Task> handler) =>
        client.SubscribeAsync(machineId, received => handler(new MachineEvent
        {
            SourceMachineId = received.SourceMachineId,
            TargetMachineId = received.TargetMachineId,
            EventName = received.EventName,
            Payload = received.Payload,
            Timestamp = received.Timestamp,
        }));

    public void Dispose() => client.Dispose();
}
