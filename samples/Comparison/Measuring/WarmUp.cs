using System.Diagnostics;
using GrpcShm.Samples.Comparison.Scenarios;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>
/// Runs a scenario over a transport until it gets no faster: the compiler recompiles what is hot, connections grow
/// their windows, pools fill.
/// </summary>
internal sealed class WarmUp
{
    private const int SlicesWithoutGain = 3;
    private const double Gain = 0.97;

    // The compiler waits until nothing new has run for a while before it recompiles, so the figures stand still for a
    // moment before they fall. A slice in which more than this was compiled is therefore never the end.
    private const int CompiledAtRest = 8;

    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);

    private readonly Session _session;
    private readonly Scenario _scenario;
    private double _best = double.MaxValue;
    private long _compiled;
    private int _without;

    private WarmUp(Session session, Scenario scenario, long compiled) =>
        (_session, _scenario, _compiled) = (session, scenario, compiled);

    /// <summary>Warms up all of them, in turns: while one runs, the compilers of the others get on.</summary>
    /// <param name="sessions">The transports.</param>
    /// <param name="scenario">What to run.</param>
    /// <param name="longest">How long it may take for each of them, about.</param>
    /// <param name="progress">Is told.</param>
    /// <param name="cancellationToken">Stops it.</param>
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

    /// <returns>Whether it gets no faster.</returns>
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
