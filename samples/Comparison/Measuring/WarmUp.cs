using System.Diagnostics;
using GrpcShm.Samples.Comparison.Scenarios;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>
/// Runs a scenario over a transport until it gets no faster: the compiler recompiles often used code, connections
/// enlarge their windows, pools fill.
/// </summary>
internal sealed class WarmUp
{
    private const int SlicesWithoutGain = 3;
    private const double Gain = 0.97;

    // The compiler recompiles only after a while without new code, so the figures stay equal for a moment before they
    // improve. So if more methods than this were compiled in a slice, the warm-up goes on.
    private const int CompiledAtRest = 8;

    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);

    private readonly Session _session;
    private readonly Scenario _scenario;
    private double _best = double.MaxValue;
    private long _compiled;
    private int _without;

    private WarmUp(Session session, Scenario scenario, long compiled) =>
        (_session, _scenario, _compiled) = (session, scenario, compiled);

    /// <summary>Warms up all transports, in turns: while one runs, the compilers of the others go on.</summary>
    /// <param name="sessions">The transports.</param>
    /// <param name="scenario">The scenario to run.</param>
    /// <param name="longest">The approximate limit for each transport.</param>
    /// <param name="progress">Receives the progress.</param>
    /// <param name="cancellationToken">Stops the warm-up.</param>
    public static async Task RunAsync(
        IReadOnlyList<Session> sessions,
        Scenario scenario,
        TimeSpan longest,
        IProgressSink progress,
        CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var cold = new List<WarmUp>();
        foreach (var session in sessions)
        {
            cold.Add(new WarmUp(session, scenario, await session.CountCompiledAsync()));
        }

        while (cold.Count > 0 && Stopwatch.GetElapsedTime(start) < longest * sessions.Count)
        {
            foreach (var one in cold.ToArray())
            {
                progress.Running(scenario.Name, one._session.Transport, "warming up");
                if (await one.RunSliceAsync(cancellationToken))
                {
                    cold.Remove(one);
                }
            }
        }
    }

    /// <returns>True if it gets no faster.</returns>
    private async Task<bool> RunSliceAsync(CancellationToken cancellationToken)
    {
        var result = await _session.RunAsync(_scenario, new RunLimits(Slice), cancellationToken);
        var cost = result.Elapsed.TotalSeconds / Math.Max(1, result.Operations);
        var before = _compiled;
        _compiled = await _session.CountCompiledAsync();
        if (cost < _best * Gain || _compiled - before > CompiledAtRest)
        {
            _best = Math.Min(_best, cost);
            _without = 0;
        }
        else
        {
            _without++;
        }

        return _without == SlicesWithoutGain;
    }
}
