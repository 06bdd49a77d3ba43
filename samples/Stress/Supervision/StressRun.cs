using System.Diagnostics;
using Samples.Stress.Roles;

namespace Samples.Stress.Supervision;

/// <summary>One run: it starts all processes, kills some of them, stops all, and checks the result.</summary>
internal sealed class StressRun(StressOptions options, ProgressView progressView)
{
    private static readonly TimeSpan FirstLine = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan DrainTime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan StallTime = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ReleaseTime = TimeSpan.FromMinutes(2);

    // The number of descriptors that the runtime may open for itself during the run.
    private const int SpareDescriptors = 8;

    private readonly StressView _view = new(progressView);
    private readonly RunProgress _progress = new(TimeProvider.System);
    private readonly List<string> _problems = [];
    private readonly Stopwatch _clock = new();
    private TimeSpan _lastLine;
    private Totals _lastTotals;

    public async Task<StressReport> RunAsync(CancellationToken cancellationToken)
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-stress-");
        try
        {
            using var ledger = new Ledger(directory.FullName, options.Producers, options.Consumers);
            _progress.Begin("starting the processes", 1 + options.Producers + options.Consumers);
            await using var cast = new Cast(options, directory.FullName);
            await ShowAsync(ending => cast.StartAsync(_progress, ending), cancellationToken);
            _clock.Start();
            _progress.Begin(
                "running, in seconds",
                (long)Math.Ceiling(options.Duration.TotalSeconds),
                () => (long)_clock.Elapsed.TotalSeconds);
            await ShowAsync(ending => DisturbAsync(cast, ledger, ending), cancellationToken, hasLines: true);
            _progress.Begin("waiting for the last events of the producers", options.Producers);
            var seconds = await progressView.RunAsync(
                _progress, ending => DrainAsync(cast, ending), cancellationToken);
            var report = Judge(cast, ledger, seconds);
            _progress.Begin("ending the clients", options.Producers + options.Consumers);
            await ShowAsync(ending => CheckHubAsync(cast, ending), cancellationToken);
            return report with { Problems = [.. _problems] };
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    public void Show(StressReport report) => _view.Show(report);

    private Task ShowAsync(
        Func<CancellationToken, Task> part, CancellationToken cancellationToken, bool hasLines = false) =>
        progressView.RunAsync(_progress, part, hasLines, cancellationToken);

    private async Task DisturbAsync(Cast cast, Ledger ledger, CancellationToken cancellationToken)
    {
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var killing = options.KillInterval is { } interval
            ? new Killer(cast, interval, options.Seed, line => _view.Say(_clock.Elapsed, line)).RunAsync(stopping.Token)
            : Task.CompletedTask;
        try
        {
            await WatchAsync(cast, ledger, killing, cancellationToken);
        }
        finally
        {
            // When this has ended, all processes run again.
            await stopping.CancelAsync();
            await killing;
        }

        await AwaitFirstEventAsync(cast, ledger, cancellationToken);
        ShowLine(cast, ledger);
    }

    /// <summary>
    /// On a very busy machine processes may be killed before they have done anything. Such a run shows nothing yet, so
    /// it goes on without kills until events were processed, and some of them went over lanes if the run is about that.
    /// </summary>
    private async Task AwaitFirstEventAsync(Cast cast, Ledger ledger, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookInterval);
        var started = _clock.Elapsed;
        for (var now = ledger.Read(); ShowsNothing(now) && _problems.Count == 0; now = ledger.Read())
        {
            Check(cast, now, _clock.Elapsed - started);
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }

    private bool ShowsNothing(Totals now) => now.Processed == 0 || (options.UsesLanes && now.OverLanes == 0);

    private async Task WatchAsync(Cast cast, Ledger ledger, Task killing, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(LookInterval);
        var (lastProgress, lastProcessed) = (TimeSpan.Zero, 0L);
        while (_problems.Count == 0 && !killing.IsFaulted && _clock.Elapsed < options.Duration)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            var now = ledger.Read();
            if (now.Processed > lastProcessed)
            {
                (lastProgress, lastProcessed) = (_clock.Elapsed, now.Processed);
            }

            Check(cast, now, _clock.Elapsed - lastProgress);
            if (_clock.Elapsed - _lastLine >= (_lastLine == default ? FirstLine : LineInterval))
            {
                ShowLine(cast, ledger);
            }
        }
    }

    private void ShowLine(Cast cast, Ledger ledger)
    {
        // The clock is read once, beside the totals: to show them takes a while, since that reads the resources of all
        // processes.
        var (at, now) = (_clock.Elapsed, ledger.Read());
        _view.Show(at, at - _lastLine, _lastTotals, now, CountKills(cast), cast);
        (_lastLine, _lastTotals) = (at, now);
    }

    private void Check(Cast cast, Totals now, TimeSpan withoutProgress)
    {
        if (now.Lost > 0)
        {
            _problems.Add($"{now.Lost} events were acknowledged and not processed.");
        }

        foreach (var member in cast.All.Where(member => member.HasDied))
        {
            _problems.Add($"{member.Name} ended though nobody had killed it.");
        }

        if (withoutProgress > StallTime)
        {
            _problems.Add(
                $"Nothing was processed{(options.UsesLanes ? ", or nothing over lanes," : "")} for "
                + $"{withoutProgress.TotalSeconds:0} s.");
        }
    }

    /// <summary>Asks the producers to end when all their events are acknowledged.</summary>
    private async Task<double> DrainAsync(Cast cast, CancellationToken cancellationToken)
    {
        foreach (var producer in cast.Producers)
        {
            await producer.TellAsync(ParentCommands.Drain, cancellationToken);
        }

        var end = _clock.Elapsed + DrainTime;
        foreach (var producer in cast.Producers)
        {
            try
            {
                var left = end - _clock.Elapsed;
                var code = await producer.WaitForExitAsync(
                    left > TimeSpan.Zero ? left : TimeSpan.Zero, cancellationToken);
                if (code != 0)
                {
                    _problems.Add($"{producer.Name} ended with exit code {code}.");
                }

                _progress.Advance();
            }
            catch (TimeoutException)
            {
                _problems.Add(
                    $"{producer.Name} did not get its last events acknowledged within {DrainTime.TotalSeconds:0} s.");
            }
        }

        return _clock.Elapsed.TotalSeconds;
    }

    private StressReport Judge(Cast cast, Ledger ledger, double seconds)
    {
        var totals = ledger.Read();
        _problems.AddRange(ledger.Inspect());
        AddIf(totals.Lost > 0 && _problems.Count == 0, $"{totals.Lost} events were acknowledged and not processed.");
        AddIf(totals.Corrupt > 0, $"{totals.Corrupt} events came damaged or to the wrong consumer.");
        AddIf(totals.Hung > 0, $"{totals.Hung} sends were never answered.");
        AddIf(totals.Processed == 0, "No event was processed.");
        AddIf(options.UsesLanes && totals.OverLanes == 0, "No event went over a lane.");
        if (CountKills(cast) == 0)
        {
            // Without a kill none of these may happen.
            AddIf(totals.Failed > 0, $"{totals.Failed} sends failed though nothing was killed.");
            AddIf(totals.Duplicates > 0, $"{totals.Duplicates} events came twice though nothing was killed.");
            AddIf(totals.Refused > 0, $"{totals.Refused} events came out of order though nothing was killed.");
        }

        return new StressReport
        {
            Transport = options.TransportName,
            Producers = options.Producers,
            Consumers = options.Consumers,
            Seconds = Math.Round(seconds, 1),
            Seed = options.Seed,
            Processed = totals.Processed,
            ProcessedPerSecond = Math.Round(totals.Processed / seconds),
            OverLanes = totals.OverLanes,
            SentAgain = totals.SentAgain,
            FailedSends = totals.Failed,
            Duplicates = totals.Duplicates,
            Refused = totals.Refused,
            Lost = totals.Lost,
            Corrupt = totals.Corrupt,
            Hung = totals.Hung,
            Kills = CountKills(cast),
            KillsOfHub = cast.Hub.Kills,
            KillsOfProducers = cast.Producers.Sum(member => member.Kills),
            KillsOfConsumers = cast.Consumers.Sum(member => member.Kills),
            Processes = [.. cast.All.Where(member => member.Figures is not null).Select(Describe)],
            Problems = [],
        };
    }

    /// <summary>When all clients have closed, the hub must have released their resources.</summary>
    private async Task CheckHubAsync(Cast cast, CancellationToken cancellationToken)
    {
        foreach (var member in cast.Producers.Concat(cast.Consumers))
        {
            await member.DisposeAsync();
            _progress.Advance();
        }

        _progress.Begin("waiting until the hub has given back what it held for them");
        var most = cast.IdleHub.Descriptors + SpareDescriptors;
        using var timer = new PeriodicTimer(LookInterval);
        var deadline = _clock.Elapsed + ReleaseTime;
        while (cast.Hub.Look() is { } figures)
        {
            if (figures.Descriptors <= most)
            {
                return;
            }

            if (_clock.Elapsed > deadline)
            {
                _problems.Add(
                    $"The hub holds {figures.Descriptors} descriptors without a client, "
                    + $"and held {cast.IdleHub.Descriptors} at its start.");
                return;
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }

        _problems.Add("The hub ended although nobody had killed it.");
    }

    private static int CountKills(Cast cast) => cast.All.Sum(member => member.Kills);

    private static MemberReport Describe(Member member)
    {
        var (first, last, most) = member.Figures!.Value;
        return new MemberReport
        {
            Name = member.Name,
            Lives = member.Lives,
            FirstMegabytes = MegaBytes(first),
            LastMegabytes = MegaBytes(last),
            MostMegabytes = MegaBytes(most),
            FirstDescriptors = first.Descriptors,
            LastDescriptors = last.Descriptors,
            MostDescriptors = most.Descriptors,
            FirstThreads = first.Threads,
            LastThreads = last.Threads,
            MostThreads = most.Threads,
        };
    }

    private static double MegaBytes(ProcessFigures figures) => Math.Round(figures.Bytes / (1024.0 * 1024), 1);

    private void AddIf(bool isWrong, string problem)
    {
        if (isWrong)
        {
            _problems.Add(problem);
        }
    }
}
