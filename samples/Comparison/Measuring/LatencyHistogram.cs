using System.Diagnostics;
using HdrHistogram;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>Latencies in nanoseconds, to three digits, from 100 ns to two minutes.</summary>
internal sealed class LatencyHistogram
{
    private const long Longest = 120_000_000_000;
    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    private readonly LongHistogram _histogram = new(100, Longest, 3);

    public long Count => _histogram.TotalCount;

    public void Record(long elapsedTicks) =>
        _histogram.RecordValue(Math.Clamp((long)(elapsedTicks * NanosecondsPerTick), 0, Longest));

    public void Add(LatencyHistogram other) => _histogram.Add(other._histogram);

    public void Reset() => _histogram.Reset();

    public LatencyCurve GetCurve() => new(
        [.. LatencyCurve.Percentiles.Select(percentile => _histogram.GetValueAtPercentile(percentile) / 1000.0)]);
}
