using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// Events from one machine to another through the hub, each sent when the one before is acknowledged. It shows how long
/// a sender waits that awaits its sends. Both machines are in the client, with a connection each.
/// </summary>
internal sealed class AwaitedEventsScenario(string name, int payloadBytes) : Scenario(name, payloadBytes, Figure.P50)
{
    private readonly LatencyHistogram _histogram = new();

    public override string Operation => "event";

    public override int Connections => 2;

    public override long BytesPerOperation => PayloadBytes;

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        var run = Guid.NewGuid().ToString("N");
        var arrivals = new EventArrivals(PayloadBytes);
        await using var receiver = await connections[1].JoinEventsAsync("receiver-" + run, arrivals.Take);
        await using var sender = await connections[0].JoinEventsAsync("sender-" + run, static _ => { });

        _histogram.Reset();
        var start = Stopwatch.GetTimestamp();
        var end = limits.GetEnd();
        var now = start;
        while (now < end || _histogram.Count < limits.MinimumOperations)
        {
            var payload = new byte[PayloadBytes];
            EventArrivals.Mark(payload, _histogram.Count + 1);
            var sent = now;
            await sender.SendAsync("receiver-" + run, payload);
            now = Stopwatch.GetTimestamp();
            _histogram.Record(now - sent);
        }

        await arrivals.WhenAsync(_histogram.Count);
        return new RunResult(_histogram.Count, Stopwatch.GetElapsedTime(start), _histogram);
    }
}
