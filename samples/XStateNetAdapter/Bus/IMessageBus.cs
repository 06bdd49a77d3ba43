namespace Samples.XStateNetAdapter.Bus;

/// <summary>A copy of XStateNet's own interface, so that the sample needs no package of it.</summary>
internal interface IMessageBus : IDisposable
{
    Task SendEventAsync(string sourceMachineId, string targetMachineId, string eventName, object? payload = null);

    Task<IDisposable> SubscribeAsync(string machineId, Func<MachineEvent, Task> handler);

    Task ConnectAsync();

    Task DisconnectAsync();

    Task PublishAsync(string eventName, object? payload = null);
}
