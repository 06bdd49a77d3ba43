using GrpcShm.Samples.Comparison.Measuring;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>The distribution of a scenario's latencies: the share of calls that took no longer than a time.</summary>
internal static class LatencyChart
{
    private static readonly (double Percentile, string Label)[] Ticks =
        [(50, "50 %"), (90, "90 %"), (99, "99 %"), (99.9, "99.9 %"), (99.99, "99.99 %")];

    public static Chart Create(IReadOnlyList<Measurement> measurements)
    {
        var scenario = measurements[0].Scenario;
        var title = $"Latency of {scenario.Name}";
        using var plot = ChartStyle.CreatePlot(
            title + " (less is better)",
            $"This share of the {scenario.Operation}s is as fast, or faster.",
            $"A {scenario.Operation} takes this long.");
        int[] shown =
            [.. Enumerable.Range(0, LatencyCurve.Percentiles.Count).Where(i => LatencyCurve.Percentiles[i] < 100)];
        double[] positions = [.. shown.Select(i => PositionOf(LatencyCurve.Percentiles[i]))];
        var all = new List<double>();
        foreach (var measurement in measurements)
        {
            var curve = measurement.Latencies!;
            double[] latencies = [.. shown.Select(i => Math.Log10(curve.Values[i]))];
            all.AddRange(latencies);
            ChartStyle.AddLine(plot, positions, latencies, measurement.Transport);
        }

        var ticks = new ScottPlot.TickGenerators.NumericManual();
        foreach (var (percentile, label) in Ticks)
        {
            ticks.AddMajor(PositionOf(percentile), label);
        }

        plot.Axes.Bottom.TickGenerator = ticks;
        ChartStyle.LabelMicroseconds(plot, all);
        ChartStyle.ShowLegend(plot);
        return Chart.Create(
            $"latency-{scenario.Name}",
            title,
            scenario.OfferedPerSecond is null
                ? "Lower is better. Each step to the right keeps only the slowest tenth of the calls."
                : "Lower is better. Each step to the right keeps only the slowest tenth of the calls. "
                    + "A call's time begins when the call was due.",
            ChartStyle.Height,
            plot.Render);
    }

    // One step to the right for each further nine of the percentile.
    private static double PositionOf(double percentile) => -Math.Log10(1 - (percentile / 100));
}
