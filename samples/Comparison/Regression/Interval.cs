namespace GrpcShm.Samples.Comparison.Regression;

/// <summary>What something costs (less is better): the median of the rounds and the range that they lie in.</summary>
internal readonly record struct Interval(double Median, double Least, double Most)
{
    // Less than this is no matter; more than this can differ between two runs whose rounds happen to agree.
    private const double LeastHalfWidth = 0.05;

    // One or two rounds say nothing of how far they would lie apart.
    private const double HalfWidthOfFewRounds = 0.3;
    private const int FewRounds = 3;

    /// <summary>Of a figure of which less is better, or more.</summary>
    public static Interval Of(double median, double least, double most, int rounds, bool isLessBetter)
    {
        var cost = isLessBetter ? new Interval(median, least, most) : new Interval(1 / median, 1 / most, 1 / least);
        var halfWidth = rounds < FewRounds ? HalfWidthOfFewRounds : LeastHalfWidth;
        return new Interval(
            cost.Median,
            Math.Min(cost.Least, cost.Median * (1 - halfWidth)),
            Math.Max(cost.Most, cost.Median * (1 + halfWidth)));
    }

    /// <summary>Whether even its best round costs more than the other's worst.</summary>
    public bool IsAbove(Interval other) => Least > other.Most;
}
