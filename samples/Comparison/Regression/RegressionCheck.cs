using GrpcShm.Samples.Comparison.Reporting;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Regression;

/// <summary>Compares a run with an earlier one, with the spread of both taken into account.</summary>
/// <remarks>
/// The speed of a machine changes from day to day. So a transport is compared with the Unix socket of its own run, if
/// that was measured. It got slower if its ratio to the socket got worse so much that the rounds of the two runs do not
/// overlap, and if it also takes more time.
/// </remarks>
internal sealed class RegressionCheck
{
    private const double Tolerance = 1.05;

    public RegressionCheck(IReadOnlyList<JsonMeasurement> old, IReadOnlyList<JsonMeasurement> now)
    {
        var before = old.ToDictionary(KeyOf);
        Rows = [.. now.Where(one => before.ContainsKey(KeyOf(one))).Select(one => Compare(before[KeyOf(one)], one))];
        OnlyOld = [.. old.ExceptBy(now.Select(KeyOf), KeyOf).Select(Name)];
        OnlyNew = [.. now.ExceptBy(old.Select(KeyOf), KeyOf).Select(Name)];
        Doubts = [.. FindDoubts(old, now)];
    }

    /// <summary>The measurements of both runs.</summary>
    public IReadOnlyList<ComparedRow> Rows { get; }

    /// <summary>The measurements of only one run.</summary>
    public IReadOnlyList<string> OnlyOld { get; }

    /// <inheritdoc cref="OnlyOld"/>
    public IReadOnlyList<string> OnlyNew { get; }

    /// <summary>The reasons to be careful with the result, a sentence each.</summary>
    public IReadOnlyList<string> Doubts { get; }

    public bool HasRegression => Rows.Any(row => row.Change == Change.Slower);

    private static ComparedRow Compare(JsonMeasurement old, JsonMeasurement now)
    {
        var (before, after) = (old.GetCost(), now.GetCost());
        if (old.GetRelativeCost() is { } relativeBefore && now.GetRelativeCost() is { } relativeAfter
            && now.Transport != TransportRegistry.Baseline)
        {
            var change =
                relativeAfter.IsAbove(relativeBefore) && after.Median > before.Median * Tolerance ? Change.Slower
                : relativeBefore.IsAbove(relativeAfter) && before.Median > after.Median * Tolerance ? Change.Faster
                : after.IsAbove(before) ? Change.SlowerAsAll
                : Change.None;
            return new ComparedRow(old, now, change);
        }

        // The others are compared with the machine itself and the Unix socket. These two can only be compared by time.
        var isMeasure = now.Transport is TransportRegistry.Baseline or JsonMeasurement.Floor;
        return new ComparedRow(
            old,
            now,
            after.IsAbove(before) ? isMeasure ? Change.SlowerAsAll : Change.Slower
                : before.IsAbove(after) && !isMeasure ? Change.Faster
                : Change.None);
    }

    private static IEnumerable<string> FindDoubts(
        IReadOnlyList<JsonMeasurement> old, IReadOnlyList<JsonMeasurement> now)
    {
        if (old.Any(one => one.RunTooNoisy))
        {
            yield return "The old run was too noisy to be trusted.";
        }

        if (now.Any(one => one.RunTooNoisy))
        {
            yield return "The new run was too noisy to be trusted.";
        }

        if (old.Count > 0 && now.Count > 0
            && (old[0].Processors, old[0].Kernel, old[0].Runtime) != (now[0].Processors, now[0].Kernel, now[0].Runtime))
        {
            yield return $"The machines differ: {old[0].Processors} processors, {old[0].Kernel}, {old[0].Runtime}; "
                + $"now {now[0].Processors} processors, {now[0].Kernel}, {now[0].Runtime}.";
        }
    }

    private static (string Transport, string Scenario) KeyOf(JsonMeasurement measurement) =>
        (measurement.Transport, measurement.Scenario);

    private static string Name(JsonMeasurement measurement) => $"{measurement.Scenario} over {measurement.Transport}";
}
