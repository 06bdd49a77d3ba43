using GrpcShm.Samples.Comparison.Transports;
using ScottPlot;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>The common style of all charts.</summary>
internal static class ChartStyle
{
    // A phone shows a picture about 400 units wide. At this width the text is then still eleven units high.
    public const int Width = 720;
    public const int Height = 600;
    public const float FontSize = 20;

    private const float TitleSize = 24;
    private const float LineWidth = 3;
    private const float MarkerSize = 11;

    // A grey, and then colours that colour-blind people can distinguish, too (Okabe and Ito).
    private static readonly Color[] Palette =
    [
        Color.FromHex("#7F7F7F"), Color.FromHex("#E69F00"), Color.FromHex("#0072B2"), Color.FromHex("#56B4E9"),
        Color.FromHex("#D55E00"), Color.FromHex("#009E73"), Color.FromHex("#CC79A7"), Color.FromHex("#000000"),
    ];

    static ChartStyle() => ChartFont.Use();

    /// <summary>Makes an empty chart whose text can be read on a phone.</summary>
    /// <param name="title">What the chart shows.</param>
    /// <param name="bottom">A sentence that says what the axis at the bottom means, with its unit.</param>
    /// <param name="left">The same for the axis at the left; null if the axis has names only.</param>
    public static Plot CreatePlot(string title, string bottom, string? left)
    {
        var plot = new Plot();
        plot.Title(title, TitleSize);
        plot.XLabel(bottom, FontSize);
        if (left is not null)
        {
            plot.YLabel(left, FontSize);
        }

        foreach (var label in (LabelStyle[])[plot.Axes.Title.Label, plot.Axes.Bottom.Label, plot.Axes.Left.Label])
        {
            label.Bold = false;
        }

        plot.Axes.Bottom.TickLabelStyle.FontSize = FontSize;
        plot.Axes.Left.TickLabelStyle.FontSize = FontSize;
        return plot;
    }

    /// <summary>Shows the names of the transports below the chart.</summary>
    public static void ShowLegend(Plot plot)
    {
        plot.Legend.FontSize = FontSize;
        plot.Legend.Orientation = Orientation.Horizontal;
        plot.Legend.ShadowColor = Colors.Transparent;
        plot.Legend.OutlineColor = Colors.Transparent;
        plot.ShowLegend(Edge.Bottom);
    }

    /// <summary>A transport has the same colour in every chart.</summary>
    public static Color ColorOf(ITransport transport)
    {
        for (var i = 0; i < TransportRegistry.All.Count; i++)
        {
            if (TransportRegistry.All[i] == transport)
            {
                return Palette[i % Palette.Length];
            }
        }

        throw new ArgumentException($"The transport '{transport.Name}' is not registered.", nameof(transport));
    }

    /// <summary>Adds a line through points whose axes are logarithms.</summary>
    public static void AddLine(Plot plot, double[] xs, double[] ys, ITransport transport)
    {
        var line = plot.Add.ScatterLine(xs, ys, ColorOf(transport));
        line.LineWidth = LineWidth;
        line.LegendText = transport.Name;
    }

    /// <summary>Adds points without a line. They have no name of their own.</summary>
    public static void AddDots(Plot plot, double[] xs, double[] ys, ITransport transport)
    {
        var dots = plot.Add.ScatterPoints(xs, ys, ColorOf(transport));
        dots.MarkerSize = MarkerSize;
        dots.MarkerShape = MarkerShape.FilledCircle;
    }

    /// <summary>Labels a logarithmic axis of microseconds at its powers of ten.</summary>
    public static void LabelMicroseconds(Plot plot, IEnumerable<double> logarithms)
    {
        double[] values = [.. logarithms];
        var ticks = new ScottPlot.TickGenerators.NumericManual();
        for (var power = (int)Math.Floor(values.Min()); power <= (int)Math.Ceiling(values.Max()); power++)
        {
            ticks.AddMajor(
                power,
                power >= 3
                    ? FormattableString.Invariant($"{Math.Pow(10, power - 3):N0} ms")
                    : FormattableString.Invariant($"{Math.Pow(10, power):0.##} µs"));
            for (var i = 2; i < 10; i++)
            {
                ticks.AddMinor(power + Math.Log10(i));
            }
        }

        plot.Axes.Left.TickGenerator = ticks;
        plot.Axes.SetLimitsY(values.Min() - 0.1, values.Max() + 0.1);
    }
}
