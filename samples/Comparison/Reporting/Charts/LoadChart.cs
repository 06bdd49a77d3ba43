using GrpcShm.Samples.Comparison.Measuring;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>The latency as the offered load grows.</summary>
internal static class LoadChart
{
    private const string Title = "Latency against load";

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

        using var plot = ChartStyle.CreatePlot(
            Title + " (less is better)\nline: p50, dots: p99",
            "The client makes this many calls a second.",
            "A call takes this long.");
        foreach (var transport in loads.GroupBy(one => one.Transport))
        {
            Measurement[] points = [.. transport.OrderBy(one => one.Scenario.OfferedPerSecond)];
            double[] offered = [.. points.Select(one => Math.Log10(one.Scenario.OfferedPerSecond!.Value))];
            ChartStyle.AddLine(plot, offered, [.. points.Select(one => Math.Log10(one.Latencies!.P50))], transport.Key);
            ChartStyle.AddDots(
                plot, offered, [.. points.Select(one => Math.Log10(one.Latencies!.P99))], transport.Key);
        }

        var ticks = new ScottPlot.TickGenerators.NumericManual();
        foreach (var offered in loads.Select(one => one.Scenario.OfferedPerSecond!.Value).Distinct())
        {
            ticks.AddMajor(Math.Log10(offered), FormattableString.Invariant($"{offered:N0}"));
        }

        plot.Axes.Bottom.TickGenerator = ticks;
        ChartStyle.LabelMicroseconds(
            plot, loads.SelectMany(one => (double[])[Math.Log10(one.Latencies!.P50), Math.Log10(one.Latencies!.P99)]));
        ChartStyle.ShowLegend(plot);
        return Chart.Create(
            "latency-against-load",
            Title,
            "Lower is better. Half of the calls take no longer than the line says (p50), and 99 % of them no longer "
                + "than the dots say (p99). A line ends at the last load that its transport could carry.",
            ChartStyle.Height,
            plot.Render);
    }
}
