using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// Events from one machine to another through the hub in the server's process, as fast as they are acknowledged. Both
/// machines are in the client, with a connection each.
/// </summary>
internal sealed class EventsScenario(string name, int payloadBytes) : Scenario(name, payloadBytes, Figure.Rate)
{
    public override string Operation => "event";

    public override int InFlight => EventSending.Window;

    public override int Connections => 2;

    public override long BytesPerOperation => PayloadBytes;

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        var run = Guid.NewGuid().ToString("N");
        var arrivals = new EventArrivals(PayloadBytes);
        await using var receiver = await connections[1].JoinEventsAsync("receiver-" + run, arrivals.Take);
        await using var sender = await connections[0].JoinEventsAsync("sender-" + run, static _ => { });

        var start = Stopwatch.GetTimestamp();
        var sent = await EventSending.RunAsync(sender, "receiver-" + run, PayloadBytes, limits);
        await arrivals.WhenAsync(sent);
        return new RunResult(sent, Stopwatch.GetElapsedTime(start), Latencies: null);
    }
}
