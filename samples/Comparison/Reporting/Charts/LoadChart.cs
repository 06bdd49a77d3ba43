using GrpcShm.Samples.Comparison.Measuring;
using ScottPlot;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>The latency as the offered load grows.</summary>
internal static class LoadChart
{
    // If a transport carries less than this share of the offered load, its queue only grows.
    private const double Sustained = 0.95;

    public static Chart? Create(IReadOnlyList<Measurement> measurements)
    {
        Measurement[] loads =
        [
            .. measurements.Where(one => one.Scenario.OfferedPerSecond is { } offered
                && one.GetMedian(round => round.Rate) >= offered * Sustained),
        ];
        if (loads.Select(one => one.Scenario.OfferedPerSecond).Distinct().Count() < 2)
        {
            return null;
        }

        using var plot = new Plot();
        foreach (var transport in loads.GroupBy(one => one.Transport))
        {
            Measurement[] points = [.. transport.OrderBy(one => one.Scenario.OfferedPerSecond)];
            double[] offered = [.. points.Select(one => Math.Log10(one.Scenario.OfferedPerSecond!.Value))];
            ChartStyle.AddLine(plot, offered, [.. points.Select(one => Math.Log10(one.Latencies!.P50))], transport.Key);
            ChartStyle.AddLine(
                plot,
                offered,
                [.. points.Select(one => Math.Log10(one.Latencies!.P99))],
                transport.Key,
                isDotted: true);
        }

        var ticks = new ScottPlot.TickGenerators.NumericManual();
        foreach (var offered in loads.Select(one => one.Scenario.OfferedPerSecond!.Value).Distinct())
        {
            ticks.AddMajor(Math.Log10(offered), FormattableString.Invariant($"{offered:N0}"));
        }

        plot.Axes.Bottom.TickGenerator = ticks;
        ChartStyle.LabelMicroseconds(
            plot, loads.SelectMany(one => (double[])[Math.Log10(one.Latencies!.P50), Math.Log10(one.Latencies!.P99)]));
        plot.Title("Latency against offered load");
        plot.XLabel("calls a second");
        plot.YLabel("p50 (line), p99 (dots)");
        plot.ShowLegend(Edge.Right);
        return new Chart(
            "latency-against-load.png",
            "Latency against offered load",
            "Lower is better. A line ends at the last load that its transport could carry.",
            plot.GetImage(ChartStyle.Width, ChartStyle.Height).GetImageBytes(ImageFormat.Png));
    }
}
