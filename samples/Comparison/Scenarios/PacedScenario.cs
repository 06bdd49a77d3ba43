using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Protos;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// Unary calls at a fixed rate, whether or not earlier ones have been answered, for the processor time that a steady
/// load takes.
/// </summary>
/// <remarks>
/// A latency counts from the moment at which the call was due and the pacer awake. So a transport that holds up the
/// pacer pays for it in every call that is late (no coordinated omission), but not for the coarse sleep of the system.
/// </remarks>
internal sealed class PacedScenario(string name, int payloadBytes, int callsPerSecond)
    : Scenario(name, payloadBytes, Figure.P50)
{
    private readonly LatencyHistogram _histogram = new();

    public override Task<RunResult> RunAsync(IReadOnlyList<Measured.MeasuredClient> clients, RunLimits limits) =>
        // A thread of its own, because it sleeps.
        Task.Factory.StartNew(
            () => PaceAsync(clients[0], limits),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap();

    private Task<RunResult> PaceAsync(Measured.MeasuredClient client, RunLimits limits)
    {
        _histogram.Reset();
        var interval = Stopwatch.Frequency / callsPerSecond;
        var calls = new List<Task>((int)(limits.Duration.TotalSeconds * callsPerSecond) + 1);
        var end = limits.GetEnd();
        var start = Stopwatch.GetTimestamp();
        var awake = start;
        for (var due = start; due < end; due += interval)
        {
            while (Stopwatch.GetTimestamp() < due)
            {
                Thread.Sleep(1);
                awake = Stopwatch.GetTimestamp();
            }

            calls.Add(CallAsync(client, Math.Max(due, awake)));
        }

        return FinishAsync(calls, start);
    }

    private async Task CallAsync(Measured.MeasuredClient client, long due)
    {
        CheckEcho(await client.EchoAsync(Message));
        var elapsed = Stopwatch.GetTimestamp() - due;
        lock (_histogram)
        {
            _histogram.Record(elapsed);
        }
    }

    private async Task<RunResult> FinishAsync(List<Task> calls, long start)
    {
        await Task.WhenAll(calls);
        return new RunResult(_histogram.Count, Stopwatch.GetElapsedTime(start), _histogram);
    }
}
