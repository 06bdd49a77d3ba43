using System.Collections.Concurrent;
using System.Diagnostics;
using GrpcShm.EventBus;
using Samples.WaferFab.Scheduling;
using XStateNet.Events.V1;

namespace Samples.WaferFab.View;

/// <summary>
/// Watches the bus: the machines' states, and the load of the hub. Any program in any process could do this.
/// </summary>
internal sealed class StateBoard(EventClient bus, EventBus.EventBusClient hub, Scheduler scheduler)
{
    private readonly ConcurrentDictionary<string, string> _states = new();
    private long _lastEvents;
    private long _lastTime = Stopwatch.GetTimestamp();

    /// <summary>Subscribes to the changes of state of all machines.</summary>
    public Task<IDisposable> JoinAsync() => bus.SubscribeToStateChangesAsync("*", change =>
    {
        _states[change.SourceMachineId] = change.StateChange!.NewState;
        return Task.CompletedTask;
    });

    /// <summary>The number of events that the hub has accepted.</summary>
    public async Task<long> CountEventsAsync() =>
        (long)(await hub.GetHealthAsync(new GetHealthRequest())).EventsAccepted;

    public async ValueTask<FabPicture> TakeAsync()
    {
        var events = await CountEventsAsync();
        var now = Stopwatch.GetTimestamp();
        var rate = (events - _lastEvents) / Math.Max(0.001, Stopwatch.GetElapsedTime(_lastTime, now).TotalSeconds);
        (_lastEvents, _lastTime) = (events, now);
        return new FabPicture(scheduler.Snapshot(), _states, rate);
    }
}
