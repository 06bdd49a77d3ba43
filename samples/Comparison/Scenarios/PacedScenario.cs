using System.Diagnostics;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Protos;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>
/// Unary calls at a fixed rate, even if earlier calls are not answered yet. It shows the processor time of a steady
/// load, and the latency as the load grows.
/// </summary>
/// <remarks>
/// A latency begins when the call was due. If a transport or the machine delays the thread that sends, each late call
/// shows it: there is no coordinated omission. The latency also includes some tens of microseconds until this thread
/// wakes. The latencies from the time of the send are kept, too.
/// </remarks>
internal sealed class PacedScenario(string name, int payloadBytes, int callsPerSecond)
    : Scenario(name, payloadBytes, Figure.P50)
{
    private readonly LatencyHistogram _histogram = new();
    private readonly LatencyHistogram _uncorrected = new();

    public override int? OfferedPerSecond => callsPerSecond;

    public override Task<RunResult> RunAsync(ConnectionSet connections, RunLimits limits) =>
        // This needs a thread of its own, because it sleeps.
        Task.Factory.StartNew(
            () => PaceAsync(connections[0].Service, limits),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default).Unwrap();

    private Task<RunResult> PaceAsync(Measured.MeasuredClient client, RunLimits limits)
    {
        _histogram.Reset();
        _uncorrected.Reset();
        var interval = (double)Stopwatch.Frequency / callsPerSecond;
        var count = Math.Max(1, (long)(limits.Duration.TotalSeconds * callsPerSecond));
        var calls = new List<Task>((int)count);
        using var clock = new PreciseSleep();
        var start = Stopwatch.GetTimestamp();
        for (long i = 0; i < count; i++)
        {
            var due = start + (long)(i * interval);
            clock.SleepUntil(due);
            calls.Add(CallAsync(client, due));
        }

        return FinishAsync(calls, start);
    }

    private async Task CallAsync(Measured.MeasuredClient client, long due)
    {
        var sent = Stopwatch.GetTimestamp();
        CheckEcho(await client.EchoAsync(Message));
        var answered = Stopwatch.GetTimestamp();
        lock (_histogram)
        {
            _histogram.Record(answered - due);
            _uncorrected.Record(answered - sent);
        }
    }

    private async Task<RunResult> FinishAsync(List<Task> calls, long start)
    {
        await Task.WhenAll(calls);
        return new RunResult(_histogram.Count, Stopwatch.GetElapsedTime(start), _histogram, _uncorrected);
    }
}
