using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Tasks of sends whose failures are reported by the sender's events and its log. So it is no error of the program if
/// nobody looks at such a task.
/// </summary>
internal static class ReportedFailures
{
    /// <summary>Makes the task of a send that failed at once.</summary>
    public static Task<Outcome?> ToTask(EventBusException failure)
    {
        var failed = Task.FromException<Outcome?>(failure);
        _ = failed.Exception;
        return failed;
    }

    /// <summary>Looks at the task's exception when the send has failed.</summary>
    public static Task<Outcome?> Observe(Task<Outcome?> sending)
    {
        _ = sending.ContinueWith(
            static failed => failed.Exception,
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return sending;
    }
}
