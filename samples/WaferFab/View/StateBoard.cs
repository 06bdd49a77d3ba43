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
    private TimeSpan _lastTime;

    /// <summary>Subscribes to the changes of state of all machines.</summary>
    public Task<IDisposable> JoinAsync() => bus.SubscribeToStateChangesAsync("*", change =>
    {
        _states[change.SourceMachineId] = change.StateChange!.NewState;
        return Task.CompletedTask;
    });

    /// <summary>The number of events that the hub has accepted.</summary>
    public async Task<long> CountEventsAsync() =>
        (long)(await hub.GetHealthAsync(new GetHealthRequest())).EventsAccepted;

    public async ValueTask<FabPicture> TakeAsync(Stopwatch clock)
    {
        var events = await CountEventsAsync();
        var now = clock.Elapsed;
        var rate = (events - _lastEvents) / Math.Max(0.001, (now - _lastTime).TotalSeconds);
        (_lastEvents, _lastTime) = (events, now);
        return new FabPicture(now, scheduler.Snapshot(), _states, rate);
    }
}
