using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// Events at a fixed rate from a machine of this process to a machine of the peer process. A latency is the time from
/// when the event was due to when its handler has it. With lanes the events find their way past the hub.
/// </summary>
internal sealed class PacedEventsScenario(
    string name, int payloadBytes, int eventsPerSecond, bool usesLanes = false)
    : Scenario(name, payloadBytes, Figure.P50)
{
    private readonly LatencyHistogram _histogram = new();

    public override string Operation => "event";

    public override bool NeedsPeer => true;

    public override int? OfferedPerSecond => eventsPerSecond;

    public override long BytesPerOperation => PayloadBytes;

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        var run = Guid.NewGuid().ToString("N");
        var peer = connections.Peer;
        await peer.ReceiveAsync("receiver-" + run, PayloadBytes, isTimed: true, usesLanes);
        await using var sender = await connections[0].JoinEventsAsync("sender-" + run, static _ => { }, usesLanes);

        var start = Stopwatch.GetTimestamp();
        var count = Math.Max(1, (long)(limits.Duration.TotalSeconds * eventsPerSecond));

        // This needs a thread of its own, because it sleeps.
        await Task.Factory.StartNew(
            () => PaceAsync(sender, "receiver-" + run, start, count),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap();
        var elapsed = Stopwatch.GetElapsedTime(start);
        _histogram.Reset();
        foreach (var latency in await peer.LeaveAsync(count))
        {
            _histogram.Record(latency);
        }

        return new RunResult(count, elapsed, _histogram);
    }

    private Task PaceAsync(IEventMachine sender, string target, long start, long count)
    {
        var interval = (double)Stopwatch.Frequency / eventsPerSecond;
        var sends = new List<Task>((int)count);
        using var clock = new PreciseSleep();
        for (long i = 0; i < count; i++)
        {
            var due = start + (long)(i * interval);
            clock.SleepUntil(due);
            var payload = new byte[PayloadBytes];
            EventArrivals.Mark(payload, i + 1, due);
            sends.Add(sender.SendAsync(target, payload));
        }

        return Task.WhenAll(sends);
    }
}
