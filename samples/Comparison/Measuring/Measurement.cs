using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>All rounds of one scenario over one transport.</summary>
/// <param name="Transport">The transport that carried the calls.</param>
/// <param name="Scenario">The scenario.</param>
/// <param name="Rounds">In the order of time.</param>
/// <param name="RatioToBaseline">This transport's figure divided by the baseline's figure of the same round, since
/// other work on the machine changes from round to round and affects both. Null if the baseline was not run.</param>
/// <param name="Memory">The memory of a connection of the transport.</param>
internal sealed record Measurement(
    ITransport Transport,
    Scenario Scenario,
    IReadOnlyList<Round> Rounds,
    Spread? RatioToBaseline,
    ChannelMemory Memory)
{
    // Beyond this the machine did other work, and a difference between transports may mean nothing.
    public const double NoisyWidth = 0.4;

    public Spread Figure => Spread.Of(Rounds.Select(round => round.Get(Scenario.Figure)));

    public bool IsNoisy =>
        (RatioToBaseline is { } ratio && Transport.Name != TransportRegistry.Baseline ? ratio : Figure).Width
            > NoisyWidth;

    /// <summary>The median of the rounds, percentile by percentile. Null for streams in one direction.</summary>
    public LatencyCurve? Latencies => GetMedian(round => round.Latencies);

    /// <summary>
    /// The same as <see cref="Latencies"/>, but not corrected for coordinated omission. Only for loads at a fixed rate.
    /// </summary>
    public LatencyCurve? UncorrectedLatencies => GetMedian(round => round.UncorrectedLatencies);

    /// <summary>The longest of all rounds.</summary>
    public double? Maximum => Rounds.Max(round => round.Latencies?.Maximum);

    /// <summary>
    /// How many times as fast as the baseline the transport is: more is better, whatever figure it is compared by. Null
    /// if the baseline was not run.
    /// </summary>
    public Spread? TimesAsFast =>
        Scenario.Figure == Scenarios.Figure.P50 ? RatioToBaseline?.Reciprocal : RatioToBaseline;

    public static Spread? GetRatio(Scenario scenario, IReadOnlyList<Round> rounds, IReadOnlyList<Round>? baseline) =>
        baseline is null
            ? null
            : Spread.Of(rounds.Zip(baseline, (one, other) => one.Get(scenario.Figure) / other.Get(scenario.Figure)));

    public double GetMedian(Func<Round, double> select) => Spread.Of(Rounds.Select(select)).Median;

    public double? GetMedian(Func<Round, double?> select) =>
        select(Rounds[0]) is null ? null : Spread.Of(Rounds.Select(round => select(round)!.Value)).Median;

    private LatencyCurve? GetMedian(Func<Round, LatencyCurve?> select) =>
        select(Rounds[0]) is null ? null : LatencyCurve.Median([.. Rounds.Select(round => select(round)!)]);
}
