using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>What to run, and for how long.</summary>
/// <param name="Transports">What is compared.</param>
/// <param name="Scenarios">With what.</param>
/// <param name="Rounds">How often each transport has its turn in a scenario.</param>
/// <param name="RoundDuration">How long a turn is.</param>
/// <param name="LongestFirstWarmUp">For each transport in the first scenario, which compiles what all of them
/// share.</param>
/// <param name="LongestWarmUp">For each transport in a later scenario.</param>
/// <param name="HasMinimumOperations">Whether a scenario ends only after the operations that it should have.</param>
internal sealed record RunPlan(
    IReadOnlyList<ITransport> Transports,
    IReadOnlyList<Scenario> Scenarios,
    int Rounds,
    TimeSpan RoundDuration,
    TimeSpan LongestFirstWarmUp,
    TimeSpan LongestWarmUp,
    bool HasMinimumOperations)
{
    private const int FullRounds = 5;
    private const int QuickRounds = 3;
    private const double QuickRoundShare = 0.22;
    private const double QuickWarmUpShare = 0.34;

    private static readonly TimeSpan FullRound = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FullWarmUp = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FullFirstWarmUp = TimeSpan.FromSeconds(8);

    // What starting the servers, measuring memory and the largest payloads leave of two minutes.
    private static readonly TimeSpan QuickBudget = TimeSpan.FromSeconds(62);
    private static readonly TimeSpan LongestQuickRound = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan QuickFirstWarmUp = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(10);

    /// <summary>What would be run if there were more time.</summary>
    public IReadOnlyList<Scenario> LeftOut { get; init; } = [];

    /// <summary>How long it will take, about.</summary>
    public TimeSpan Estimate =>
        StartTime
        + (Transports.Count * LongestFirstWarmUp)
        + (CountCells(Transports, Scenarios) * ((Rounds * RoundDuration) + (LongestWarmUp / 2)));

    /// <summary>A plan that takes the time that it needs.</summary>
    public static RunPlan CreateFull(
        IReadOnlyList<ITransport> transports, IReadOnlyList<Scenario> scenarios, int? rounds, TimeSpan? duration) =>
        new(
            transports,
            scenarios,
            rounds ?? FullRounds,
            duration ?? FullRound,
            FullFirstWarmUp,
            FullWarmUp,
            HasMinimumOperations: duration is null);

    /// <summary>A plan that divides less than two minutes among what there is to run.</summary>
    public static RunPlan CreateQuick(
        IReadOnlyList<ITransport> transports, IReadOnlyList<Scenario> scenarios, int? rounds, TimeSpan? duration)
    {
        var share = QuickBudget / Math.Max(1, CountCells(transports, scenarios));
        var round = share * QuickRoundShare;
        return new RunPlan(
            transports,
            scenarios,
            rounds ?? QuickRounds,
            duration ?? (round < LongestQuickRound ? round : LongestQuickRound),
            QuickFirstWarmUp,
            share * QuickWarmUpShare,
            HasMinimumOperations: false);
    }

    public RunLimits GetLimits(Scenario scenario) =>
        new(RoundDuration, HasMinimumOperations ? scenario.MinimumOperations / Rounds : 0);

    private static int CountCells(IReadOnlyList<ITransport> transports, IReadOnlyList<Scenario> scenarios) =>
        scenarios.Sum(scenario => transports.Count(transport => transport.CanRun(scenario)));
}
