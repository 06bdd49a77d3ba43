using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>Unary calls, a constant number of them in flight, spread evenly over the connections.</summary>
internal sealed class UnaryScenario : Scenario
{
    // These are kept from run to run, since they would be most of the allocated memory.
    private readonly LatencyHistogram[] _histograms;
    private readonly LatencyHistogram _sum = new();

    public UnaryScenario(string name, int payloadBytes, Figure figure, int inFlight = 1, int connections = 1)
        : base(name, payloadBytes, figure)
    {
        InFlight = inFlight;
        Connections = connections;
        _histograms = [.. Enumerable.Range(0, inFlight).Select(_ => new LatencyHistogram())];
    }

    public override int InFlight { get; }

    public override int Connections { get; }

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        var minimum = (limits.MinimumOperations + InFlight - 1) / InFlight;
        var start = Stopwatch.GetTimestamp();
        var end = limits.GetEnd();
        var callers = new Task[InFlight];
        for (var i = 0; i < callers.Length; i++)
        {
            var client = connections[i % connections.Count].Service;
            var histogram = _histograms[i];
            // This runs on the pool, because a caller whose calls complete at once would never let the next caller
            // start.
            callers[i] = Task.Run(() => CallAsync(client, histogram, end, minimum));
        }

        await Task.WhenAll(callers);
        var elapsed = Stopwatch.GetElapsedTime(start);

        _sum.Reset();
        foreach (var histogram in _histograms)
        {
            _sum.Add(histogram);
        }

        return new RunResult(_sum.Count, elapsed, _sum);
    }

    private async Task CallAsync(Measured.MeasuredClient client, LatencyHistogram histogram, long end, long minimum)
    {
        histogram.Reset();
        var now = Stopwatch.GetTimestamp();
        for (long count = 0; now < end || count < minimum; count++)
        {
            var sent = now;
            CheckEcho(await client.EchoAsync(Message));
            now = Stopwatch.GetTimestamp();
            histogram.Record(now - sent);
        }
    }
}
