using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// One connection after the other: a new channel and its first call, which is the latency, and then its close, which
/// counts in the rate only. With a pause before each, the background work of the last connection is done.
/// </summary>
internal sealed class ConnectScenario(string name, int payloadBytes, TimeSpan pause = default)
    : Scenario(name, payloadBytes, Figure.P50)
{
    private readonly LatencyHistogram _histogram = new();

    public override string Operation => "first call";

    public override async Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits)
    {
        _histogram.Reset();
        var start = Stopwatch.GetTimestamp();
        var end = limits.GetEnd();
        while (Stopwatch.GetTimestamp() < end || _histogram.Count < limits.MinimumOperations)
        {
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause);
            }

            var begun = Stopwatch.GetTimestamp();
            await using var connection = connections.Open();
            CheckEcho(await connection.Service.EchoAsync(Message));
            _histogram.Record(Stopwatch.GetTimestamp() - begun);
        }

        return new RunResult(_histogram.Count, Stopwatch.GetElapsedTime(start), _histogram);
    }
}
