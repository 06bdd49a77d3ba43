using GrpcShm.EventBus;
using XStateNet.Events.V1;

namespace Samples.XStateNetAdapter;

/// <summary>
/// An orchestrator in the process of its machines, as in XStateNet: the sender of an event gets the target's new state
/// back. The same call reaches machines of other processes.
/// </summary>
internal sealed class EventBusOrchestrator(EventClient bus) : IAsyncDisposable
{
    /// <summary>Registers a machine, here and for all other processes.</summary>
    public Task<IDisposable> RegisterMachineAsync(IStateMachine machine) =>
        bus.RegisterMachineAsync(machine.Id, async received =>
            received.NewState = await machine.HandleAsync(received.EventName, received.Payload));

    /// <summary>Sends an event and waits until the target has handled it. A failure is in the result.</summary>
    public async Task<EventResult> SendEventAsync(
        string fromMachineId,
        string toMachineId,
        string eventName,
        object? payload = null,
        int timeoutMilliseconds = 5_000)
    {
        var options = new EventSendOptions
        {
            Acknowledgement = AcknowledgementLevel.Processed, Timeout = TimeSpan.FromMilliseconds(timeoutMilliseconds),
        };
        try
        {
            var result = await bus.SendEventAsync(fromMachineId, toMachineId, eventName, payload, options);
            return new EventResult(true, result.NewState, null);
        }
        catch (EventBusException exception)
        {
            return new EventResult(false, "", exception.Message);
        }
    }

    public ValueTask DisposeAsync() => bus.DisposeAsync();
}
