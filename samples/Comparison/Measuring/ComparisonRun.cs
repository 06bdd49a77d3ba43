using GrpcShm.Samples.Comparison.Floor;
using GrpcShm.Samples.Comparison.Scenarios;
using GrpcShm.Samples.Comparison.Transports;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>Runs a plan: the servers of all transports run side by side, and the transports take turns.</summary>
internal sealed class ComparisonRun(RunPlan plan, IProgressSink progress)
{
    private readonly List<Session> _sessions = [];
    private readonly Dictionary<ITransport, ChannelMemory> _memory = [];

    public async Task<ComparisonResult> RunAsync(CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-comparison-");
        try
        {
            using var meter = new UsageMeter();
            await using var floor = await MachineFloor.StartAsync(directory.FullName, cancellationToken);
            foreach (var transport in plan.Transports)
            {
                progress.Running("starting", transport, "");
                _sessions.Add(await Session.StartAsync(transport, directory.FullName, meter, cancellationToken));
            }

            var watch = await MachineWatch.StartAsync(_sessions, meter);
            var measurements = await MeasureAsync(floor, cancellationToken);
            return new ComparisonResult(measurements, floor.Rounds, await watch.ReadOthersCpuPercentAsync());
        }
        finally
        {
            foreach (var session in _sessions)
            {
                await session.DisposeAsync();
            }

            directory.Delete(recursive: true);
        }
    }

    private async Task<List<Measurement>> MeasureAsync(MachineFloor floor, CancellationToken cancellationToken)
    {
        foreach (var session in _sessions)
        {
            progress.Running("memory of a connection", session.Transport, "");
            _memory[session.Transport] = await session.MeasureChannelMemoryAsync(cancellationToken);
        }

        var measurements = new List<Measurement>();
        foreach (var scenario in plan.Scenarios)
        {
            await floor.MeasureAsync();
            var longest = measurements.Count == 0 ? plan.LongestFirstWarmUp : plan.LongestWarmUp;
            var rounds = await RunScenarioAsync(scenario, longest, cancellationToken);
            var finished = Summarize(scenario, rounds);
            progress.ScenarioFinished(finished);
            measurements.AddRange(finished);
        }

        await floor.MeasureAsync();
        return measurements;
    }

    private async Task<Dictionary<ITransport, List<Round>>> RunScenarioAsync(
        Scenario scenario, TimeSpan longestWarmUp, CancellationToken cancellationToken)
    {
        Session[] sessions = [.. _sessions.Where(session => session.Transport.CanRun(scenario))];
        foreach (var session in sessions)
        {
            progress.Running(scenario.Name, session.Transport, "connecting");
            await session.PrepareAsync(scenario, cancellationToken);
        }

        await WarmUp.RunAsync(sessions, scenario, longestWarmUp, progress, cancellationToken);
        var rounds = sessions.ToDictionary(session => session.Transport, _ => new List<Round>());
        for (var round = 0; round < plan.Rounds; round++)
        {
            for (var turn = 0; turn < sessions.Length; turn++)
            {
                // Each round begins with another transport, so that no transport always comes after the same other one.
                var session = sessions[(round + turn) % sessions.Length];
                progress.Running(scenario.Name, session.Transport, $"round {round + 1} of {plan.Rounds}");
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
            .. rounds.Select(pair => new Measurement(
                pair.Key,
                scenario,
                pair.Value,
                Measurement.GetRatio(scenario, pair.Value, baseline),
                _memory[pair.Key])),
        ];
    }
}
