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
internal sealed record Measurement(
    ITransport Transport,
    Scenario Scenario,
    IReadOnlyList<Round> Rounds,
    Spread? RatioToBaseline)
{
    // Beyond this the machine was doing something else, and a difference between transports may be no difference.
    private const double NoisyWidth = 0.4;

    public Spread Figure => Spread.Of(Rounds.Select(round => round.Get(Scenario.Figure)));

    public bool IsNoisy =>
        (RatioToBaseline is { } ratio && Transport.Name != TransportRegistry.Baseline ? ratio : Figure).Width > NoisyWidth;

    public double Maximum => Rounds.Max(round => round.Maximum ?? 0);

    public static Spread? GetRatio(Scenario scenario, IReadOnlyList<Round> rounds, IReadOnlyList<Round>? baseline) =>
        baseline is null
            ? null
            : Spread.Of(rounds.Zip(baseline, (one, other) => one.Get(scenario.Figure) / other.Get(scenario.Figure)));

    public double GetMedian(Func<Round, double> select) => Spread.Of(Rounds.Select(select)).Median;

    public double? GetMedian(Func<Round, double?> select) =>
        select(Rounds[0]) is null ? null : Spread.Of(Rounds.Select(round => select(round)!.Value)).Median;
}
