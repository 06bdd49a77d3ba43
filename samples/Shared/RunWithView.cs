namespace Samples;

/// <summary>A run with a view that shows it.</summary>
internal static class RunWithView
{
    /// <summary>
    /// Starts a run, shows it, and waits for its end. If the view fails, the run is cancelled and has ended before the
    /// view's failure is thrown, so that no process of the run is left alone.
    /// </summary>
    /// <param name="start">Starts the run.</param>
    /// <param name="show">Shows the run until it has ended, for whatever reason.</param>
    /// <param name="cancellationToken">Cancels the run.</param>
    public static async Task<T> CompleteAsync<T>(
        Func<CancellationToken, Task<T>> start, Func<Task, Task> show, CancellationToken cancellationToken)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var run = start(ending.Token);
        try
        {
            await show(run);
        }
        catch
        {
            // The view's failure is the cause, and the one to report; that of the run follows from the cancellation.
            await ending.CancelAsync();
            await ((Task)run).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        return await run;
    }
}
