using System.Diagnostics;
using GrpcShm.FaultInjection.Planning;
using GrpcShm.FaultInjection.Processes;
using GrpcShm.FaultInjection.Reporting;
using GrpcShm.FaultInjection.Survivors;
using GrpcShm.TestHost.Faults;
using GrpcShm.Transport;
using Spectre.Console;

namespace GrpcShm.FaultInjection;

/// <summary>
/// Kills processes one after the other. After each death it checks what is left behind in the survivors.
/// </summary>
internal sealed class FaultRun(FaultSettings settings)
{
    // The first deaths of each kind make the survivors compile code, and fill pools and caches.
    private const int WarmUp = 12;

    // Pools of buffers take longer to reach their largest size.
    private const int MostMemoryWarmUp = 150;

    // The managed memory in use varies by this much on its own, since pools keep more buffers when more threads rent at
    // once. If each death leaves memory behind, a long run exceeds this.
    private const long MemorySlack = 4 * 1024 * 1024;

    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(5);

    private readonly Findings _findings = new();
    private readonly HashSet<(Side, SharedMemoryMode, string, Transport.Diagnostics.FaultStep)> _steps = [];
    private readonly IAnsiConsole _console = AnsiConsole.Create(
        new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    public static Task<FaultReport> RunAsync(FaultSettings settings, CancellationToken cancellationToken) =>
        new FaultRun(settings).RunAsync(cancellationToken);

    private int MemoryWarmUp => Math.Clamp(settings.Kills / 2, WarmUp, MostMemoryWarmUp);

    private async Task<FaultReport> RunAsync(CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        using var endpoints = new Endpoints();
        await using (var server = await SteadyServer.StartAsync(endpoints))
        await using (var pool = new VictimPool(FaultPlan.Create(settings), endpoints))
        await using (var bystander = new Bystander(endpoints))
        using (var broken = new BrokenSurvivor(settings.Breakage))
        using (var client = new SteadyClient(endpoints, broken))
        {
            await KillAllAsync(endpoints, server, client, pool, bystander, cancellationToken);
        }

        var report = new FaultReport(
            _findings.Kills,
            _findings.Hangs,
            _findings.WrongStatus,
            _findings.LeakedFds,
            _findings.LeakedBytes,
            _findings.LeakedThreads,
            Math.Round(_findings.MaxDetect.TotalMilliseconds, 1),
            _findings.Refused,
            _findings.Missed,
            _steps.Count,
            settings.Seed,
            Math.Round(clock.Elapsed.TotalSeconds, 1));
        Show(report);
        return report;
    }

    private async Task KillAllAsync(
        Endpoints endpoints,
        SteadyServer server,
        SteadyClient client,
        VictimPool pool,
        Bystander bystander,
        CancellationToken cancellationToken)
    {
        // This opens the connections of the survivors before the first count.
        await bystander.CallAsync(SharedMemoryMode.Direct);
        Footprint? ofServer = null;
        Footprint? ofClient = null;
        (long Server, long Client) memory = default;
        while (await pool.NextAsync() is var (fault, victim) && !cancellationToken.IsCancellationRequested)
        {
            await using (victim)
            {
                await (fault.Side == Side.Client
                    ? server.TryAsync(fault, victim, bystander, settings, _findings)
                    : client.TryAsync(fault, victim, bystander, settings, _findings));
            }

            _findings.Died();
            _steps.Add((fault.Side, fault.Mode, fault.Kind, fault.Step));
            if (_findings.Kills < WarmUp)
            {
                continue;
            }

            ofServer = await SettleAsync(fault, "server", server.ProcessId, ofServer, server.MeasureMemoryAsync);
            ofClient = await SettleAsync(
                fault,
                "client",
                Environment.ProcessId,
                ofClient,
                static () => Task.FromResult(CrashCommands.LiveBytes()));
            if (_findings.Kills == MemoryWarmUp)
            {
                memory = (await server.MeasureMemoryAsync(), CrashCommands.LiveBytes());
            }
        }

        if (_findings.Kills > MemoryWarmUp)
        {
            CompareMemory("server", memory.Server, await server.MeasureMemoryAsync());
            CompareMemory("client", memory.Client, CrashCommands.LiveBytes());
        }

        if (bystander.Failure is { } failure)
        {
            _findings.NotServed($"by the server whose clients died: {failure}");
        }

        foreach (var file in endpoints.Strangers())
        {
            _findings.LeakedMemory($"system ({file.FullName})", Math.Max(1, file.Length));
        }
    }

    /// <summary>
    /// Waits until a survivor has no more resources than before. Released resources may take a moment to disappear.
    /// </summary>
    /// <returns>The count with which the next death is compared.</returns>
    private async Task<Footprint> SettleAsync(
        Fault fault, string who, int processId, Footprint? before, Func<Task<long>> collect)
    {
        var now = Footprint.Of(processId);
        if (before is null)
        {
            return now;
        }

        var clock = Stopwatch.StartNew();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!now.Beyond(before).IsEmpty)
        {
            if (clock.Elapsed > SettleTime)
            {
                _findings.Leaked(fault, who, now.Beyond(before));
                return now;
            }

            if (clock.Elapsed > SettleTime / 10 && now.Beyond(before).SharedBytes > 0)
            {
                // A reader or writer that was not completed leaves its mapping, and the peer's doorbell, to the garbage
                // collector. Any other descriptor that stays was not closed.
                await collect();
            }

            await timer.WaitForNextTickAsync();
            now = Footprint.Of(processId);
        }

        return before;
    }

    private void CompareMemory(string who, long before, long now)
    {
        var deaths = _findings.Kills;
        _console.MarkupLineInterpolated(
            $"[grey]alive on the {who}: {before:N0} bytes after {MemoryWarmUp} deaths, {now:N0} after {deaths}[/]");
        if (now - before > MemorySlack)
        {
            _findings.LeakedMemory(who, now - before);
        }
    }

    private void Show(FaultReport report)
    {
        foreach (var line in _findings.Lines.Take(100))
        {
            _console.MarkupLineInterpolated($"[red]{line}[/]");
        }

        var table = new Table().AddColumns("", "");
        table.AddRow("deaths", $"{report.Kills:N0} at {report.Steps:N0} of {FaultPlan.Cells.Count:N0} combinations");
        table.AddRow("noticed within", $"{report.MaxDetectMs:N1} ms at most");
        table.AddRow(
            "hangs, wrong statuses, others not served", $"{report.Hangs}, {report.WrongStatus}, {report.NotServed}");
        table.AddRow(
            "left behind",
            $"{report.LeakedFds} descriptors, {report.LeakedBytes:N0} bytes, {report.LeakedThreads} threads");
        table.AddRow("steps not reached", $"{report.Missed}");
        table.AddRow("took", $"{report.Seconds:N1} s, seed {report.Seed}");
        _console.Write(table);
    }
}
