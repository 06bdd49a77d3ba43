using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// Two bare machines in two processes send each other one event, again and again. No sender waits for an
/// acknowledgement: the answer is the other machine's event. With lanes the events find their way past the hub.
/// </summary>
internal sealed class MachinesScenario(string name, int payloadBytes, bool usesLanes = false)
    : Scenario(name, payloadBytes, Figure.P50)
{
    // Much longer than a round trip on the busiest machine.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly LatencyHistogram _histogram = new();

    public override string Operation => "round trip";

    public override bool NeedsPeer => true;

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        _histogram.Reset();
        var run = Guid.NewGuid().ToString("N");
        var peer = connections.Peer;
        var match = new Match(this, "pong-" + run, limits);
        await using var ping = await connections[0].JoinEventsAsync("ping-" + run, match.Take, usesLanes);
        await peer.EchoAsync("pong-" + run, "ping-" + run, PayloadBytes, usesLanes);

        var elapsed = await match.PlayAsync(ping);
        await peer.LeaveAsync(_histogram.Count);
        return new RunResult(_histogram.Count, elapsed, _histogram);
    }

    private sealed class Match(MachinesScenario scenario, string other, RunLimits limits)
    {
        private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly EventArrivals _arrivals = new(scenario.PayloadBytes);
        private IEventMachine? _ping;
        private Task _lastSend = Task.CompletedTask;
        private long _end;
        private long _sentAt;

        public async Task<TimeSpan> PlayAsync(IEventMachine ping)
        {
            _ping = ping;
            var start = Stopwatch.GetTimestamp();
            _end = limits.GetEnd();
            Send();
            await _over.Task.WaitAsync(limits.Duration + Patience);
            var elapsed = Stopwatch.GetElapsedTime(start);
            await _lastSend;
            return elapsed;
        }

        // The handler of the machine, which gets one event after the other.
        public void Take(ReadOnlyMemory<byte> payload)
        {
            var now = Stopwatch.GetTimestamp();
            _arrivals.Take(payload);
            scenario._histogram.Record(now - _sentAt);
            if (now >= _end && _arrivals.Received >= limits.MinimumOperations)
            {
                _over.SetResult();
            }
            else
            {
                Send();
            }
        }

        private void Send()
        {
            var payload = new byte[scenario.PayloadBytes];
            EventArrivals.Mark(payload, _arrivals.Received + 1);
            _sentAt = Stopwatch.GetTimestamp();
            _lastSend = _ping!.SendAsync(other, payload);
        }
    }
}
