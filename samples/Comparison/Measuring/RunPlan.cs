using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The scenarios and transports of a run, and their times.</summary>
/// <param name="Transports">The compared transports.</param>
/// <param name="Scenarios">The scenarios.</param>
/// <param name="Rounds">How often each transport has its turn in a scenario.</param>
/// <param name="RoundDuration">How long a turn is.</param>
/// <param name="LongestFirstWarmUp">The limit for each transport in the first scenario, which compiles the code that
/// all scenarios share.</param>
/// <param name="LongestWarmUp">The limit for each transport in a later scenario.</param>
/// <param name="HasMinimumOperations">True if a scenario ends only after its number of operations.</param>
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

    // This is the rest of two minutes after starting the servers, measuring memory and the largest payloads.
    private static readonly TimeSpan QuickBudget = TimeSpan.FromSeconds(62);
    private static readonly TimeSpan LongestQuickRound = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan QuickFirstWarmUp = TimeSpan.FromSeconds(1.5);
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(10);

    /// <summary>The scenarios that are left out for lack of time.</summary>
    public IReadOnlyList<Scenario> LeftOut { get; init; } = [];

    /// <summary>The approximate time of the whole run.</summary>
    public TimeSpan Estimate =>
        StartTime
        + (Transports.Count * LongestFirstWarmUp)
        + (CountCells(Transports, Scenarios) * ((Rounds * RoundDuration) + (LongestWarmUp / 2)));

    /// <summary>A plan that takes as long as it needs.</summary>
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

    /// <summary>A plan that divides less than two minutes among all scenarios.</summary>
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
        new(RoundDuration, Math.Max(1, HasMinimumOperations ? scenario.MinimumOperations / Rounds : 0));

    private static int CountCells(IReadOnlyList<ITransport> transports, IReadOnlyList<Scenario> scenarios) =>
        scenarios.Sum(scenario => transports.Count(transport => transport.CanRun(scenario)));
}
