using System.Diagnostics;
using GrpcShm.EventBus.Lanes;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// How the events of a process's clients reach other processes: by the hub alone, or over lanes where the hub grants
/// them. It counts what goes over lanes.
/// </summary>
internal sealed class EventWay(bool usesLanes) : IDisposable
{
    /// <summary>The first argument of a process whose clients take lanes.</summary>
    public const string LanesArgument = "--lanes";

    /// <summary>The events that are sent only to get a route. The machines of the test processes ignore them.</summary>
    public const string OpeningEvent = "OPENS-A-ROUTE";

    private readonly LaneMeter _meter = new();

    public bool UsesLanes => usesLanes;

    /// <summary>How many events of this way's clients other processes have taken over lanes.</summary>
    public long Events => _meter.Events;

    /// <summary>The options of a client of this way, which the caller may change.</summary>
    public EventBusClientOptions NewOptions() => new()
    {
        Lanes = UsesLanes ? new SharedMemoryLanes() : null,

        // As many sends as by default, but on a machine that may be too busy for so many within a second.
        LaneTimes = new LaneTimes { AskAgainAfter = 1, AskWithin = long.MaxValue },
        MeterFactory = _meter,
    };

    /// <summary>
    /// Sends events of a machine of a client to another one until a lane carries them, as a client does whose machine
    /// has much to send. Without lanes it does nothing. Meanwhile the client may not send anything else.
    /// </summary>
    /// <exception cref="TimeoutException">No lane carries them.</exception>
    public async Task OpenAsync(EventClient client, string source, string target)
    {
        var started = Stopwatch.GetTimestamp();
        for (var before = Events; UsesLanes && Events == before;)
        {
            if (Stopwatch.GetElapsedTime(started) > HubChannel.LongestWait)
            {
                throw new TimeoutException($"No lane carries the events of '{source}' for '{target}'.");
            }

            await client.SendEventAsync(source, target, OpeningEvent);
        }
    }

    /// <summary>The same for a source that is registered for it, as a machine that ignores events.</summary>
    public async Task RegisterAndOpenAsync(EventClient client, string source, string target)
    {
        await client.RegisterMachineAsync(source, static _ => Task.CompletedTask);
        await OpenAsync(client, source, target);
    }

    public void Dispose() => _meter.Dispose();
}
