using System.Diagnostics;
using GrpcShm.Samples.Comparison.Scenarios;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>
/// Runs a scenario until it gets no faster: the compiler recompiles what is hot, connections grow their windows, pools
/// fill.
/// </summary>
internal static class WarmUp
{
    private const int SlicesWithoutGain = 3;
    private const double Gain = 0.97;

    // The compiler waits until nothing new has run for a while before it recompiles, so the figures stand still for a
    // moment before they fall. A slice in which more than this was compiled is therefore never the end.
    private const int CompiledAtRest = 8;

    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);

    public static async Task RunAsync(
        Session session,
        Scenario scenario,
        TimeSpan longest,
        CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var best = double.MaxValue;
        var compiled = await session.CountCompiledAsync();
        for (var without = 0; without < SlicesWithoutGain && Stopwatch.GetElapsedTime(start) < longest; without++)
        {
            var result = await session.RunAsync(scenario, new RunLimits(Slice), cancellationToken);
            var cost = result.Elapsed.TotalSeconds / Math.Max(1, result.Operations);
            var before = compiled;
            compiled = await session.CountCompiledAsync();
            if (cost < best * Gain || compiled - before > CompiledAtRest)
            {
                best = Math.Min(best, cost);
                without = -1;
            }
        }
    }
}
