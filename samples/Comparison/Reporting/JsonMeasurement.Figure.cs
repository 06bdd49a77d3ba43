using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Regression;

namespace GrpcShm.Samples.Comparison.Reporting;

// The figure by which a measurement is compared with others, and with the same measurement of another day.
internal sealed partial record JsonMeasurement
{
    private const string LatencyFigure = "p50_us";
    private const string RateFigure = "rate_per_s";
    private const string BytesFigure = "bytes_per_s";

    private bool IsLessBetter => RatioOf == LatencyFigure;

    /// <summary>The figure that <see cref="RatioOf"/> names.</summary>
    /// <exception cref="ComparisonException">The figure is missing.</exception>
    public double GetFigure() => RatioOf switch
    {
        LatencyFigure => P50Us,
        RateFigure => RatePerS,
        BytesFigure => BytesPerS,
        _ => null,
    } ?? throw new ComparisonException($"{Scenario} over {Transport} has no figure '{RatioOf}'.");

    /// <summary>The time of an operation.</summary>
    public Interval GetCost() => Interval.Of(GetFigure(), FigureMin, FigureMax, Rounds, IsLessBetter);

    /// <summary>
    /// The time of an operation in relation to the Unix socket of the same run; null if the socket was not measured.
    /// </summary>
    public Interval? GetRelativeCost() => RatioToUds is { } ratio
        ? Interval.Of(ratio, RatioToUdsMin ?? ratio, RatioToUdsMax ?? ratio, Rounds, IsLessBetter)
        : null;

    /// <summary>
    /// How many times as fast as the Unix socket it is: more is better. Its own ratio is one of two figures, and less
    /// is better where the figure is a latency.
    /// </summary>
    public Spread? GetTimesAsFast()
    {
        if (this is not { RatioToUds: { } median, RatioToUdsMin: { } least, RatioToUdsMax: { } most })
        {
            return null;
        }

        var ratio = new Spread(median, least, most);
        return IsLessBetter ? ratio.Reciprocal : ratio;
    }
}
