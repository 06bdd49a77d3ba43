namespace GrpcShm.Testing;

/// <summary>Bounds every wait of the tests. No test depends on how long it is; a hang becomes a failure.</summary>
internal static class TimeLimit
{
    public static readonly TimeSpan Value = TimeSpan.FromSeconds(30);

    public static Task InTime(this Task task) => task.WaitAsync(Value, TestContext.Current.CancellationToken);

    public static Task<T> InTime<T>(this Task<T> task) => task.WaitAsync(Value, TestContext.Current.CancellationToken);

    public static Task InTime(this ValueTask task) => task.AsTask().InTime();

    public static Task<T> InTime<T>(this ValueTask<T> task) => task.AsTask().InTime();

    /// <summary>Waits for what gives no signal of its own.</summary>
    public static async Task UntilAsync(Func<bool> condition, Func<string> describe)
    {
        var giveUpAt = TimeProvider.System.GetTimestamp() + (Value.Ticks * TimeProvider.System.TimestampFrequency / TimeSpan.TicksPerSecond);
        while (!condition())
        {
            if (TimeProvider.System.GetTimestamp() > giveUpAt)
            {
                Assert.Fail(describe());
            }

            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Runs blocking code on threads of its own and passes on what they throw.</summary>
    public static Task OnThreads(params Action[] actions) => Task.WhenAll(actions.Select(OnThread)).InTime();

    private static Task OnThread(Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                action();
                done.SetResult();
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        })
        {
            IsBackground = true,
        }.Start();
        return done.Task;
    }
}
