using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>Runs a plan: the servers of all transports stand side by side, and the transports take turns.</summary>
internal sealed class ComparisonRun(RunPlan plan, IProgressSink progress)
{
    // The first scenario's warm-up compiles what all of them share.
    private const int FirstWarmUpFactor = 4;

    public async Task<IReadOnlyList<Measurement>> RunAsync(CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-comparison-");
        var sessions = new List<Session>();
        try
        {
            foreach (var transport in plan.Transports)
            {
                sessions.Add(await Session.StartAsync(transport, directory.FullName, cancellationToken));
            }

            var measurements = new List<Measurement>();
            foreach (var scenario in plan.Scenarios)
            {
                var longest = measurements.Count == 0 ? plan.LongestWarmUp * FirstWarmUpFactor : plan.LongestWarmUp;
                var rounds = await RunScenarioAsync(scenario, sessions, longest, cancellationToken);
                var finished = Summarize(scenario, rounds);
                progress.ScenarioFinished(finished);
                measurements.AddRange(finished);
            }

            return measurements;
        }
        finally
        {
            foreach (var session in sessions)
            {
                await session.DisposeAsync();
            }

            directory.Delete(recursive: true);
        }
    }

    private async Task<Dictionary<ITransport, List<Round>>> RunScenarioAsync(
        Scenario scenario,
        List<Session> sessions,
        TimeSpan longestWarmUp,
        CancellationToken cancellationToken)
    {
        foreach (var session in sessions)
        {
            progress.Running(scenario, session.Transport, "warming up");
            await session.PrepareAsync(scenario, cancellationToken);
            await WarmUp.RunAsync(session, scenario, longestWarmUp, cancellationToken);
        }

        var rounds = sessions.ToDictionary(session => session.Transport, _ => new List<Round>());
        for (var round = 0; round < plan.Rounds; round++)
        {
            for (var turn = 0; turn < sessions.Count; turn++)
            {
                // Each round begins with another transport, so that none is always the one after a certain other.
                var session = sessions[(round + turn) % sessions.Count];
                progress.Running(scenario, session.Transport, $"round {round + 1} of {plan.Rounds}");
                rounds[session.Transport].Add(
                    await session.MeasureAsync(scenario, plan.GetLimits(scenario), cancellationToken));
            }
        }

        return rounds;
    }

    private List<Measurement> Summarize(Scenario scenario, Dictionary<ITransport, List<Round>> rounds)
    {
        var baseline = rounds.FirstOrDefault(pair => pair.Key.Name == TransportRegistry.Baseline).Value;
        return
        [
            .. plan.Transports.Select(transport => new Measurement(
                transport,
                scenario,
                rounds[transport],
                Measurement.GetRatio(scenario, rounds[transport], baseline))),
        ];
    }
}
