namespace Samples.WaferFab.Scheduling;

/// <summary>Notices when nothing happens any more, so that a stuck run ends and reports the place.</summary>
internal static class StallWatch
{
    // While all tools wait for one that is started again, no event comes.
    private static readonly TimeSpan StallTime = SampleProcess.StartTime;

    /// <summary>Fails when no event has come for this time.</summary>
    public static async Task RunAsync(Scheduler scheduler, CancellationToken cancellationToken)
    {
        using var clock = new PeriodicTimer(StallTime);
        var before = -1L;
        while (await clock.WaitForNextTickAsync(cancellationToken))
        {
            var fab = scheduler.Snapshot();
            if (fab.Events == before)
            {
                throw new TimeoutException(
                    $"no event has come for {StallTime.TotalSeconds:0} s, "
                    + $"with {fab.WafersFinished} of {fab.Wafers} wafers finished: "
                    + string.Join("; ", fab.Tools));
            }

            before = fab.Events;
        }
    }
}
