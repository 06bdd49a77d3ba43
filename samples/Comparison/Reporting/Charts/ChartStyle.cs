using GrpcShm.Samples.Comparison.Transports;
using ScottPlot;

namespace GrpcShm.Samples.Comparison.Reporting.Charts;

/// <summary>The common style of all charts.</summary>
internal static class ChartStyle
{
    public const int Width = 900;
    public const int Height = 480;

    private const float LineWidth = 2;
    private const float MarkerSize = 6;
    private const int FewPoints = 10;

    // A grey, and then colours that colour-blind people can distinguish, too (Okabe and Ito).
    private static readonly Color[] Palette =
    [
        Color.FromHex("#7F7F7F"), Color.FromHex("#E69F00"), Color.FromHex("#0072B2"), Color.FromHex("#56B4E9"),
        Color.FromHex("#D55E00"), Color.FromHex("#009E73"), Color.FromHex("#CC79A7"), Color.FromHex("#000000"),
    ];

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
    public static void AddLine(Plot plot, double[] xs, double[] ys, ITransport transport, bool isDotted = false)
    {
        var line = plot.Add.ScatterLine(xs, ys, ColorOf(transport));
        line.LineWidth = LineWidth;
        line.LinePattern = isDotted ? LinePattern.Dotted : LinePattern.Solid;
        line.LegendText = isDotted ? "" : transport.Name;
        line.MarkerSize = xs.Length < FewPoints ? MarkerSize : 0;
        line.MarkerShape = MarkerShape.FilledCircle;
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
