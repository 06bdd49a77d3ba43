using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>What to run, and for how long.</summary>
internal sealed record RunPlan(
    IReadOnlyList<ITransport> Transports,
    IReadOnlyList<Scenario> Scenarios,
    int Rounds,
    TimeSpan RoundDuration,
    TimeSpan LongestWarmUp,
    bool HasMinimumOperations)
{
    private const int QuickRounds = 3;
    private const double QuickRoundShare = 0.2;
    private const double QuickWarmUpShare = 0.3;

    // What starting the servers and measuring memory leave of two minutes.
    private static readonly TimeSpan QuickBudget = TimeSpan.FromSeconds(85);
    private static readonly TimeSpan LongestQuickRound = TimeSpan.FromSeconds(0.5);

    /// <summary>How long it will take, about.</summary>
    public TimeSpan Estimate => CountCells(Transports, Scenarios) * ((Rounds * RoundDuration) + (LongestWarmUp / 2));

    /// <summary>A plan that divides less than two minutes among what there is to run.</summary>
    public static RunPlan CreateQuick(IReadOnlyList<ITransport> transports, IReadOnlyList<Scenario> scenarios, int? rounds, TimeSpan? duration)
    {
        var share = QuickBudget / Math.Max(1, CountCells(transports, scenarios));
        var round = share * QuickRoundShare;
        return new RunPlan(
            transports,
            scenarios,
            rounds ?? QuickRounds,
            duration ?? (round < LongestQuickRound ? round : LongestQuickRound),
            share * QuickWarmUpShare,
            HasMinimumOperations: false);
    }

    public RunLimits GetLimits(Scenario scenario) =>
        new(RoundDuration, HasMinimumOperations ? scenario.MinimumOperations / Rounds : 0);

    private static int CountCells(IReadOnlyList<ITransport> transports, IReadOnlyList<Scenario> scenarios) =>
        scenarios.Sum(scenario => transports.Count(transport => transport.CanRun(scenario)));
}
