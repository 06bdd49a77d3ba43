using System.Diagnostics;
using System.Globalization;
using GrpcShm.FaultInjection.Planning;
using GrpcShm.FaultInjection.Reporting;

namespace GrpcShm.FaultInjection.Lanes;

/// <summary>
/// Kills and freezes the processes of a lane, one after the other, at each step of the lane's life. After each death it
/// checks that nothing was doubled or reordered, that a later run of events is whole and goes over a lane again, and
/// what the survivors have kept.
/// </summary>
internal sealed class LaneFaultRun(FaultSettings settings)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Frozen = TimeSpan.FromMilliseconds(100);

    // A client that ends leaves the lock of its name behind, and so does one that dies. The next one that listens
    // removes them: so there are those of the last source and the last target.
    private const int MostFiles = 2;

    private readonly List<string> _lines = [];
    private readonly HashSet<(LaneMember, EventBus.Lanes.LaneStep, LaneMember)> _cells = [];
    private int _run;
    private int _deaths;
    private int _hangs;
    private int _wrong;
    private int _missed;
    private Footprint _leaked = new(0, 0, 0);
    private long _overLanes;
    private TimeSpan _longest;

    public static Task<FaultReport> RunAsync(FaultSettings settings, CancellationToken cancellationToken) =>
        new LaneFaultRun(settings).RunAsync(cancellationToken);

    private async Task<FaultReport> RunAsync(CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var trio = await LaneTrio.StartAsync(settings.Breakage);
        foreach (var fault in LaneDeath.Create(settings).TakeWhile(_ => !cancellationToken.IsCancellationRequested))
        {
            try
            {
                await TryAsync(trio, fault);
            }
            catch (TimeoutException exception)
            {
                // The state of the processes is not known any more.
                Note(ref _hangs, fault, exception.Message);
                break;
            }
            catch (InvalidOperationException exception)
            {
                Note(ref _wrong, fault, exception.Message);
                break;
            }
        }

        await trio.DisposeAsync();
        var files = trio.Files()
            .Where(static file => file.Name.StartsWith("lane-", StringComparison.Ordinal)).ToArray();
        trio.Forget();
        if (files.Length > MostFiles)
        {
            _leaked = _leaked with { SharedBytes = _leaked.SharedBytes + files.Sum(file => Math.Max(1, file.Length)) };
            _lines.Add($"left behind: {string.Join(", ", files.Select(file => file.Name))}");
        }


        foreach (var line in _lines.Take(100))
        {
            await Console.Error.WriteLineAsync(line);
        }

        await Console.Error.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{_deaths} deaths at {_cells.Count} of {LaneDeath.Cells.Count} combinations, {_overLanes:N0} events over "
            + $"lanes, {files.Length} files left, seed {settings.Seed}"));
        return new FaultReport(
            _deaths,
            _hangs,
            _wrong,
            _leaked.Descriptors,
            _leaked.SharedBytes,
            _leaked.Threads,
            Math.Round(_longest.TotalMilliseconds, 1),
            NotServed: 0,
            _missed,
            _cells.Count,
            settings.Seed,
            Math.Round(clock.Elapsed.TotalSeconds, 1));
    }

    private async Task TryAsync(LaneTrio trio, LaneDeath fault)
    {
        var victim = trio[fault.Victim];
        await trio[fault.At].ArmAsync(fault, victim.Id);
        var running = RunEventsAsync(trio);
        try
        {
            await trio[fault.At].There.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            Note(ref _missed, fault, "the step was not reached");
            await running;
            await trio.RestAsync();
            return;
        }

        _deaths++;
        _cells.Add((fault.At, fault.Step, fault.Victim));
        var since = Stopwatch.GetTimestamp();
        if (fault.Death != Death.Killed)
        {
            await victim.WhenFrozenAsync();
            await Task.Delay(Frozen);
        }

        if (fault.Death == Death.FrozenThenThawed)
        {
            victim.Thaw();
            await CheckAsync(trio, fault, await running, isWhole: true);
        }
        else
        {
            victim.Kill();
            await victim.WhenGoneAsync();
            await trio.ReplaceAsync(fault.Victim);
            await ReplacedAsync(trio, fault, running);
        }

        if (fault is { Victim: LaneMember.Hub, Death: not Death.FrozenThenThawed })
        {
            // The run may have been over before the hub died. The machines may not be known to its successor yet.
            await CheckAsync(trio, fault, await RunEventsAsync(trio), isWhole: false);
        }

        var longest = Stopwatch.GetElapsedTime(since);
        _longest = longest > _longest ? longest : _longest;
        await CheckAsync(trio, fault, await RunEventsAsync(trio), isWhole: true);
        await trio.RestAsync();
        foreach (var (member, leaked) in await trio.SettleAsync())
        {
            _leaked = new Footprint(
                _leaked.Descriptors + leaked.Descriptors,
                _leaked.SharedBytes + leaked.SharedBytes,
                _leaked.Threads + leaked.Threads);
            _lines.Add($"{fault}: left behind at the {member}: {leaked}");
        }
    }

    // A source that has survived ends its run: by errors where a process is dead, and in the end over a new lane.
    private async Task ReplacedAsync(LaneTrio trio, LaneDeath fault, Task<Sent> running)
    {
        if (fault.Victim != LaneMember.Source)
        {
            await CheckAsync(trio, fault, await running, isWhole: false);
            return;
        }

        try
        {
            await running;
        }
        catch (InvalidOperationException)
        {
            // It died with its run.
        }
    }

    private async Task<Sent> RunEventsAsync(LaneTrio trio)
    {
        var run = ++_run;
        var answer = (await trio[LaneMember.Source].AskAsync($"run {run}")).Split(' ');
        var sent = new Sent(run, Number(answer[1]), Number(answer[2]), Number(answer[3]));
        _overLanes += sent.OverLanes;
        return sent;
    }

    private async Task CheckAsync(LaneTrio trio, LaneDeath fault, Sent sent, bool isWhole)
    {
        // An event that the hub has accepted may still be on its way.
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        var clock = Stopwatch.StartNew();
        var got = await CountAsync(trio);
        while (isWhole && (got.Run, got.Next) != (sent.Run, sent.Events) && clock.Elapsed < Patience)
        {
            await timer.WaitForNextTickAsync();
            got = await CountAsync(trio);
        }

        var isRight = got.Late == 0 && sent.OverLanes > 0
            && (!isWhole || got with { MissingBefore = 0 } == new Got(sent.Run, 0, sent.Events, 0, 0, 0))
            && (!isWhole || sent.Failed == 0)
            && (fault.Victim != LaneMember.Source || got.MissingBefore == 0);
        if (!isRight)
        {
            Note(ref _wrong, fault, $"{sent}, {got}");
        }
    }

    private static async Task<Got> CountAsync(LaneTrio trio)
    {
        var numbers = (await trio[LaneMember.Target].AskAsync("count")).Split(' ').Select(Number).ToArray();
        return new Got(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]);
    }

    private void Note(ref int count, LaneDeath fault, string what)
    {
        count++;
        _lines.Add($"{fault}: {what}");
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private readonly record struct Sent(int Run, int Events, int Failed, int OverLanes);

    private readonly record struct Got(int Run, int First, int Next, int Missing, int MissingBefore, int Late);
}
