using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;
using ScottPlot;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>
/// Operations a second of the scenarios that are compared by this figure, each with an axis of its own.
/// </summary>
internal static class ThroughputChart
{
    private const int HeightOfHeading = 130;
    private const int HeightOfBar = 38;

    // Beside the longest bar there is room for its figure.
    private const double RoomForFigure = 1.75;

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

        var plots = new Multiplot(CreatePlot(scenarios[0]))
        {
            Layout = new ScottPlot.MultiplotLayouts.Grid(scenarios.Length, columns: 1),
        };
        foreach (var scenario in scenarios[1..])
        {
            plots.Subplots.Add(CreatePlot(scenario));
        }

        // All have the height of the one with the most transports, so that their bars are equally thick.
        var height = HeightOfHeading + (HeightOfBar * scenarios.Max(scenario => scenario.Count));
        return Chart.Create(
            "throughput",
            "Operations a second",
            "Longer is better. The bar is the median of the rounds. The thin line goes from the lowest to the highest "
                + "round. Each scenario has an axis of its own. Behind a bar stands its figure, and how many times as "
                + "many that is as over a Unix socket (uds): 2× is twice as many.",
            height * scenarios.Length,
            plots.Render);
    }

    private static Plot CreatePlot(IReadOnlyList<Measurement> measurements)
    {
        var scenario = measurements[0].Scenario;
        var plot = ChartStyle.CreatePlot(
            scenario.Name + " (more is better)",
            $"{char.ToUpperInvariant(scenario.Operation[0])}{scenario.Operation[1..]}s a second "
                + "(2× is twice as many as over uds)",
            left: null);
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
            var text = plot.Add.Text(Describe(measurements[i]), Math.Max(figure.Median, figure.Most), position);
            text.LabelStyle.FontSize = ChartStyle.FontSize;
            text.LabelStyle.Alignment = Alignment.MiddleLeft;
            text.OffsetX = 6;
            ticks.AddMajor(position, measurements[i].Transport.Name);
        }

        plot.Axes.Left.TickGenerator = ticks;
        plot.Axes.Left.MajorTickStyle.Length = 0;
        var end = measurements.Max(one => one.Figure.Most) * RoomForFigure;
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic
        {
            TargetTickCount = 3,

            // A number at the right end would be cut off by the edge of the picture.
            LabelFormatter = value => value > end * 0.9 ? "" : FormattableString.Invariant($"{value:N0}"),
        };
        plot.Axes.SetLimits(0, end, 0.4, measurements.Count + 0.6);
        plot.HideGrid();
        return plot;
    }

    private static string Describe(Measurement measurement) =>
        measurement.TimesAsFast is { } ratio && measurement.Transport.Name != TransportRegistry.Baseline
            ? FormattableString.Invariant($"{measurement.Figure.Median:N0} ({ratio.Median:0.0}×)")
            : FormattableString.Invariant($"{measurement.Figure.Median:N0}");
}
