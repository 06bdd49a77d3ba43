namespace GrpcShm.Samples.Comparison.Regression;

/// <summary>A cost (less is better): the median of the rounds, and the lowest and highest round.</summary>
internal readonly record struct Interval(double Median, double Least, double Most)
{
    // A smaller difference does not matter: two runs whose rounds agree by chance can differ by this much.
    private const double LeastHalfWidth = 0.05;

    // One or two rounds do not show how far rounds lie apart.
    private const double HalfWidthOfFewRounds = 0.3;
    private const int FewRounds = 3;

    /// <summary>Makes the interval of a figure of which less, or more, is better.</summary>
    public static Interval Of(double median, double least, double most, int rounds, bool isLessBetter)
    {
        var cost = isLessBetter ? new Interval(median, least, most) : new Interval(1 / median, 1 / most, 1 / least);
        var halfWidth = rounds < FewRounds ? HalfWidthOfFewRounds : LeastHalfWidth;
        return new Interval(
            cost.Median,
            Math.Min(cost.Least, cost.Median * (1 - halfWidth)),
            Math.Max(cost.Most, cost.Median * (1 + halfWidth)));
    }

    /// <summary>True if even its best round costs more than the other's worst round.</summary>
    public bool IsAbove(Interval other) => Least > other.Most;
}
