using GrpcShm.EventBus;
using XStateNet.Events.V1;

namespace Samples.XStateNetAdapter;

/// <summary>
/// An orchestrator in the process of its machines, as in XStateNet: whoever sends through it gets the target's new
/// state back. Machines of other processes are reached by the same call.
/// </summary>
internal sealed class EventBusOrchestrator(EventClient bus) : IAsyncDisposable
{
    /// <summary>Makes a machine known, here and to all other processes.</summary>
    public Task<IDisposable> RegisterMachineAsync(IStateMachine machine) =>
        bus.RegisterMachineAsync(machine.Id, async received =>
            received.NewState = await machine.HandleAsync(received.EventName, received.Payload));

    /// <summary>Sends an event and waits until the target has handled it. What goes wrong is in the result.</summary>
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
