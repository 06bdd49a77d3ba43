using System.Diagnostics;
using System.Globalization;
using Samples.WaferFab.Planning;

namespace Samples.WaferFab.Scheduling;

/// <summary>
/// Kills a tool in the middle of a step, and starts it again when the other tools have done further steps.
/// </summary>
internal sealed class ToolKiller(
    string victim, Scheduler scheduler, ToolPark tools, Stopwatch clock, Action<TimeSpan, string> say)
{
    public async Task<Disturbance> RunAsync(CancellationToken cancellationToken)
    {
        var before = await scheduler.WhenAsync(IsTheMoment, cancellationToken);
        var (wafer, step) = (before.Tool(victim).Wafer, before.Tool(victim).Step);
        var noticing = NoticeAsync(cancellationToken);

        // The line has the time of the signal, not the time at which the system has cleared the process away, which is
        // much later on a busy machine: the durations below count from the signal.
        var killed = clock.Elapsed;
        var killing = tools.KillAsync(victim);
        TimeSpan noticed;
        try
        {
            say(
                killed,
                $"{victim} (process {before.Tool(victim).ProcessId}) was killed "
                + $"while it did '{Route.Step(step).Name}' with wafer {wafer}");

            var noticedAt = await noticing;
            noticed = noticedAt - killed;
            say(noticedAt, string.Create(
                CultureInfo.InvariantCulture,
                $"the bus told the scheduler {noticed.TotalMilliseconds:N1} ms after the kill"));
        }
        finally
        {
            await killing;
        }

        await scheduler.WhenAsync(
            fab => StepsOfOthers(fab) > StepsOfOthers(before) || !fab.Tools.Any(tool => tool.IsBusy),
            cancellationToken);
        tools.Start(victim);
        var after = await scheduler.WhenAsync(
            fab => fab.Tool(victim).Lives > before.Tool(victim).Lives, cancellationToken);
        var backAt = clock.Elapsed;
        var away = backAt - killed;
        var meanwhile = StepsOfOthers(after) - StepsOfOthers(before);
        say(backAt, string.Create(
            CultureInfo.InvariantCulture,
            $"{victim} is back after {away.TotalMilliseconds:N0} ms as process {after.Tool(victim).ProcessId}; ")
            + $"the others did {meanwhile} steps meanwhile");
        return new Disturbance(victim, wafer, step, noticed, away, meanwhile);
    }

    /// <summary>Waits until the hub has answered the victim's last command instead of the victim.</summary>
    /// <returns>The time of this.</returns>
    private async Task<TimeSpan> NoticeAsync(CancellationToken cancellationToken)
    {
        // There is no such command if the victim finished it in the last moment.
        await scheduler.WhenAsync(fab => fab.Tool(victim) is { IsReady: false } or { Step: 0 }, cancellationToken);
        return clock.Elapsed;
    }

    /// <summary>
    /// The moment of the kill: in the middle of a step, well into the run, and while another tool also works, if such a
    /// moment comes before half of the victim's work is done.
    /// </summary>
    private bool IsTheMoment(FabSnapshot fab)
    {
        var tool = fab.Tool(victim);
        var steps = fab.Wafers * Route.Steps.Count(step => step.Tool == victim);
        return tool.IsBusy
            && tool.Tick >= Route.Step(tool.Step).Ticks / 2
            && tool.StepsDone >= steps / 4
            && (tool.StepsDone >= steps / 2 || fab.Tools.Any(other => other.Id != victim && other.IsBusy));
    }

    private int StepsOfOthers(FabSnapshot fab) =>
        fab.Tools.Where(tool => tool.Id != victim).Sum(tool => tool.StepsDone);
}
