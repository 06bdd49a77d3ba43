using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Scenarios;
using ScottPlot;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>
/// Operations a second of the scenarios that are compared by this figure, each with an axis of its own.
/// </summary>
internal static class ThroughputChart
{
    private const int Columns = 2;
    private const int RowHeight = 260;

    public static Chart? Create(IReadOnlyList<Measurement> measurements)
    {
        IReadOnlyList<Measurement>[] scenarios =
        [
            .. measurements
                .Where(one => one.Scenario.Figure == Figure.Rate)
                .GroupBy(one => one.Scenario)
                .Select(group => group.ToList()),
        ];
        if (scenarios.Length == 0)
        {
            return null;
        }

        var columns = Math.Min(Columns, scenarios.Length);
        var rows = (scenarios.Length + columns - 1) / columns;
        var plots = new Multiplot();
        plots.AddPlots(scenarios.Length);
        plots.Layout = new ScottPlot.MultiplotLayouts.Grid(rows, columns);
        for (var i = 0; i < scenarios.Length; i++)
        {
            Draw(plots.GetPlot(i), scenarios[i]);
        }

        return new Chart(
            "throughput.png",
            "Operations a second",
            "Longer is better. The bar is the median of the rounds. The thin line goes from the lowest to the highest "
                + "round. Each scenario has an axis of its own.",
            plots.Render(ChartStyle.Width, rows * RowHeight).GetImageBytes(ImageFormat.Png));
    }

    private static void Draw(Plot plot, IReadOnlyList<Measurement> measurements)
    {
        var ticks = new ScottPlot.TickGenerators.NumericManual();
        for (var i = 0; i < measurements.Count; i++)
        {
            var figure = measurements[i].Figure;
            var position = measurements.Count - i;
            plot.Add.Bar(new Bar
            {
                Position = position,
                Value = figure.Median,
                FillColor = ChartStyle.ColorOf(measurements[i].Transport),
                LineWidth = 0,
                Orientation = Orientation.Horizontal,
            });
            plot.Add.Line(figure.Least, position, figure.Most, position).Color = Colors.Black;
            ticks.AddMajor(position, measurements[i].Transport.Name);
        }

        plot.Axes.Left.TickGenerator = ticks;
        plot.Axes.Left.MajorTickStyle.Length = 0;
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic
        {
            TargetTickCount = 4,
            LabelFormatter = value => FormattableString.Invariant($"{value:N0}"),
        };
        plot.Axes.SetLimits(0, measurements.Max(one => one.Figure.Most) * 1.08, 0.4, measurements.Count + 0.6);
        plot.HideGrid();
        plot.Title(measurements[0].Scenario.Name, size: 14);
    }
}
