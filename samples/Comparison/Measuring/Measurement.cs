using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>All rounds of one scenario over one transport.</summary>
/// <param name="Transport">What carried it.</param>
/// <param name="Scenario">What was run.</param>
/// <param name="Rounds">In the order of time.</param>
/// <param name="RatioToBaseline">
/// This transport's figure through the baseline's, of the same round each time, because what else the machine does
/// changes from round to round and hits both. None if the baseline was not run.
/// </param>
/// <param name="Memory">What a connection of the transport takes.</param>
internal sealed record Measurement(
    ITransport Transport,
    Scenario Scenario,
    IReadOnlyList<Round> Rounds,
    Spread? RatioToBaseline,
    ChannelMemory Memory)
{
    // Beyond this the machine was doing something else, and a difference between transports may be no difference.
    public const double NoisyWidth = 0.4;

    public Spread Figure => Spread.Of(Rounds.Select(round => round.Get(Scenario.Figure)));

    public bool IsNoisy =>
        (RatioToBaseline is { } ratio && Transport.Name != TransportRegistry.Baseline ? ratio : Figure).Width
            > NoisyWidth;

    /// <summary>The median of the rounds, percentile by percentile. None for streams in one direction.</summary>
    public LatencyCurve? Latencies => GetMedian(round => round.Latencies);

    /// <summary>
    /// As <see cref="Latencies"/>, not corrected for coordinated omission. Only for loads at a fixed rate.
    /// </summary>
    public LatencyCurve? UncorrectedLatencies => GetMedian(round => round.UncorrectedLatencies);

    /// <summary>The longest of all rounds.</summary>
    public double? Maximum => Rounds.Max(round => round.Latencies?.Maximum);

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
