namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>A distribution of latencies, in microseconds.</summary>
internal sealed record LatencyCurve(IReadOnlyList<double> Values)
{
    /// <summary>The percentiles of <see cref="Values"/>.</summary>
    public static IReadOnlyList<double> Percentiles { get; } =
    [
        0, 10, 25, 50, 60, 70, 75, 80, 85, 90, 92.5, 95, 97, 98, 99, 99.3, 99.5, 99.7, 99.8, 99.9, 99.95, 99.97, 99.99,
        100
    ];

    public double P50 => Get(50);

    public double P90 => Get(90);

    public double P99 => Get(99);

    public double P999 => Get(99.9);

    public double Maximum => Get(100);

    /// <summary>The median of several curves, percentile by percentile.</summary>
    public static LatencyCurve Median(IReadOnlyList<LatencyCurve> curves) => new(
        [.. Enumerable.Range(0, Percentiles.Count).Select(
            i => Spread.Of(curves.Select(curve => curve.Values[i])).Median)]);

    private double Get(double percentile)
    {
        for (var i = 0; i < Percentiles.Count; i++)
        {
            if (Percentiles[i] >= percentile)
            {
                return Values[i];
            }
        }

        throw new ArgumentOutOfRangeException(nameof(percentile));
    }
}
