namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The median of several rounds, and how far they lie apart.</summary>
internal readonly record struct Spread(double Median, double Least, double Most)
{
    /// <summary>The distance from the lowest to the highest value, in relation to the median.</summary>
    public double Width => Median == 0 ? 0 : (Most - Least) / Median;

    /// <summary>The spread of the reciprocal values.</summary>
    public Spread Reciprocal => new(1 / Median, 1 / Most, 1 / Least);

    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[^1]);
    }
}
