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
    public RunLimits GetLimits(Scenario scenario) =>
        new(RoundDuration, HasMinimumOperations ? scenario.MinimumOperations / Rounds : 0);
}
