using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// Events from a machine of this process to a machine of the peer process, as fast as they are acknowledged. The hub is
/// in the server's process. With lanes the two processes find their way past it.
/// </summary>
internal sealed class EventsApartScenario(string name, int payloadBytes, bool usesLanes = false)
    : Scenario(name, payloadBytes, Figure.Rate)
{
    public override string Operation => "event";

    public override int InFlight => EventSending.Window;

    public override bool NeedsPeer => true;

    public override long BytesPerOperation => PayloadBytes;

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        var run = Guid.NewGuid().ToString("N");
        var peer = connections.Peer;
        await peer.ReceiveAsync("receiver-" + run, PayloadBytes, usesLanes: usesLanes);
        await using var sender = await connections[0].JoinEventsAsync(
            "sender-" + run, static _ => { }, usesLanes);

        var start = Stopwatch.GetTimestamp();
        var sent = await EventSending.RunAsync(sender, "receiver-" + run, PayloadBytes, limits);
        await peer.LeaveAsync(sent);
        return new RunResult(sent, Stopwatch.GetElapsedTime(start), Latencies: null);
    }
}
