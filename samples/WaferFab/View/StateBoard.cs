using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using GrpcShm.EventBus;
using Samples.WaferFab.Scheduling;
using XStateNet.Events.V1;

namespace Samples.WaferFab.View;

/// <summary>
/// Watches the bus: the machines' states, and the load of the hub. Any program in any process could do this.
/// </summary>
internal sealed class StateBoard(EventClient bus, EventBus.EventBusClient hub, Scheduler scheduler)
{
    // A picture that takes longer than this is left out. So the view ends soon after the run, even if the hub hangs.
    private static readonly TimeSpan PictureTime = TimeSpan.FromSeconds(5);

    // Much longer than the count takes, since other processes may leave the hub little processor time.
    private static readonly TimeSpan CountTime = TimeSpan.FromSeconds(60);

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
    public Task<long> CountEventsAsync() => CountEventsAsync(CountTime);

    /// <summary>Takes a picture of the fab.</summary>
    /// <returns>The picture, or <see langword="null"/> if the hub does not answer.</returns>
    public async ValueTask<FabPicture?> TakeAsync(Stopwatch clock)
    {
        long events;
        try
        {
            events = await CountEventsAsync(PictureTime);
        }
        catch (RpcException)
        {
            // The view only shows the run. A hub that does not come back ends the run itself, with the reason.
            return null;
        }

        var now = clock.Elapsed;
        var rate = (events - _lastEvents) / Math.Max(0.001, (now - _lastTime).TotalSeconds);
        (_lastEvents, _lastTime) = (events, now);
        return new FabPicture(now, scheduler.Snapshot(), _states, rate);
    }

    private async Task<long> CountEventsAsync(TimeSpan time)
    {
        var health = await hub.GetHealthAsync(new GetHealthRequest(), deadline: DateTime.UtcNow + time);
        return (long)health.EventsAccepted;
    }
}
