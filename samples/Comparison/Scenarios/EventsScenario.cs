using System.Buffers.Binary;
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
    // The number of events on their way: enough for full messages, and so few that memory does not matter.
    private const int Window = 2_048;

    public override string Operation => "event";

    public override int InFlight => Window;

    public override int Connections => 2;

    public override long BytesPerOperation => PayloadBytes;

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        var run = Guid.NewGuid().ToString("N");
        var arrivals = new EventArrivals(PayloadBytes);
        await using var receiver = await connections[1].JoinEventsAsync("receiver-" + run, arrivals.Take);
        await using var sender = await connections[0].JoinEventsAsync("sender-" + run, static _ => { });

        var start = Stopwatch.GetTimestamp();
        var sent = await SendAsync(sender, "receiver-" + run, limits);
        await arrivals.WhenAsync(sent);
        return new RunResult(sent, Stopwatch.GetElapsedTime(start), Latencies: null);
    }

    private async Task<long> SendAsync(IEventMachine sender, string target, RunLimits limits)
    {
        var end = limits.GetEnd();
        var earlier = Task.CompletedTask;
        var last = Task.CompletedTask;
        long sent = 0;
        while (Stopwatch.GetTimestamp() < end || sent < limits.MinimumOperations)
        {
            var payload = new byte[PayloadBytes];
            BinaryPrimitives.WriteInt64LittleEndian(payload, ++sent);
            last = sender.SendAsync(target, payload);
            if (sent % (Window / 2) == 0)
            {
                // Acknowledgements come in the order of the sends.
                await earlier;
                earlier = last;
            }
        }

        await earlier;
        await last;
        return sent;
    }
}
