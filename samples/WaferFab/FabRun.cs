using System.Diagnostics;
using GrpcShm.EventBus;
using Samples.WaferFab.Messages;
using Samples.WaferFab.Scheduling;
using Samples.WaferFab.View;

namespace Samples.WaferFab;

/// <summary>One run of the fab: the tools start, one is killed during the run, and at the end all is checked.</summary>
internal sealed class FabRun(
    FabOptions options, IFabView view, EventClient bus, Scheduler scheduler, StateBoard board, ToolPark tools)
{
    // All times that the run prints come from this clock, so that they agree with each other. It starts with the tools.
    private readonly Stopwatch _clock = new();

    public async Task<FabReport> RunAsync(CancellationToken cancellationToken)
    {
        using var states = await board.JoinAsync();
        using var inbox = await scheduler.JoinAsync();
        await ChangeStateAsync("", "running");

        _clock.Start();
        var disturbance = await RunWithView.CompleteAsync(
            GuardAsync, run => view.ShowAsync(() => board.TakeAsync(_clock), run), cancellationToken);
        var elapsed = _clock.Elapsed;

        var events = await board.CountEventsAsync();
        var sent = await tools.EndAllAsync(cancellationToken);
        await ChangeStateAsync("running", "finished");
        var fab = scheduler.Snapshot();
        return new FabReport
        {
            Transport = options.TransportName,
            Wafers = fab.Wafers,
            Finished = fab.WafersFinished,
            Steps = fab.StepsDone,
            Events = events,
            EventsPerSecond = Math.Round(events / elapsed.TotalSeconds),
            Seconds = Math.Round(elapsed.TotalSeconds, 2),
            Killed = disturbance?.Tool,
            NoticedMilliseconds = disturbance is null ? null : Math.Round(disturbance.Noticed.TotalMilliseconds, 1),
            AwayMilliseconds = disturbance is null ? null : Math.Round(disturbance.Away.TotalMilliseconds),
            StepsMeanwhile = disturbance?.StepsMeanwhile,
            Problems =
                [.. scheduler.Problems, .. Inspection.Inspect(scheduler.Wafers, tools.Journals), .. Unheard(fab, sent)],
        };
    }

    /// <summary>
    /// The number of events that the tools' last lives report as sent, and that the scheduler has not received.
    /// </summary>
    private static IEnumerable<string> Unheard(FabSnapshot fab, IReadOnlyDictionary<string, long> sent) =>
        fab.Tools
            .Where(tool => tool.LastNumber != sent[tool.Id])
            .Select(tool => $"{tool.Id} sent {sent[tool.Id]} events, of which {tool.LastNumber} came.");

    private async Task<Disturbance?> WorkAsync(CancellationToken cancellationToken)
    {
        tools.StartAll();
        var finishing = scheduler.WhenAsync(fab => fab.IsFinished, cancellationToken);
        if (options.Victim is not { } victim)
        {
            await finishing;
            return null;
        }

        var disturbance = await new ToolKiller(victim, scheduler, tools, _clock, view.Say)
            .RunAsync(cancellationToken);
        await finishing;
        return disturbance;
    }

    /// <summary>Does the work, and ends it at a failure.</summary>
    private async Task<Disturbance?> GuardAsync(CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var work = WorkAsync(ending.Token);
        try
        {
            await await Task.WhenAny(
                work, scheduler.Failed, tools.Failed, StallWatch.RunAsync(scheduler, ending.Token));
            return await work;
        }
        finally
        {
            // The owner ends the tools next. The work must not start or kill one at the same time.
            await ending.CancelAsync();
            await ((Task)work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ChangeStateAsync(string oldState, string newState) =>
        await bus.PublishStateChangeAsync(
            SchedulerId.Value, new MachineStateChange { OldState = oldState, NewState = newState });
}
