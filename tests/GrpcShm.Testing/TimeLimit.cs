using System.Runtime.CompilerServices;

namespace GrpcShm.Testing;

/// <summary>
/// The one bound of every wait of the tests. It turns a hang into a failure that says where, and measures nothing: a
/// busy machine must never reach it.
/// </summary>
internal static class TimeLimit
{
    public static readonly TimeSpan Value = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    /// <summary>When a wait that begins now has to be over.</summary>
    public static DateTime Deadline => DateTime.UtcNow + Value;

    public static async Task InTime(this Task task, [CallerArgumentExpression(nameof(task))] string? what = null)
    {
        try
        {
            await task.WaitAsync(Value, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"Not done within {Value}: {what}");
        }
    }

    public static async Task<T> InTime<T>(
        this Task<T> task, [CallerArgumentExpression(nameof(task))] string? what = null)
    {
        await ((Task)task).InTime(what);
        return await task;
    }

    public static Task InTime(this ValueTask task, [CallerArgumentExpression(nameof(task))] string? what = null) =>
        task.AsTask().InTime(what);

    public static Task<T> InTime<T>(
        this ValueTask<T> task, [CallerArgumentExpression(nameof(task))] string? what = null) =>
        task.AsTask().InTime(what);

    /// <summary>
    /// Lets go of something at the end of the scope: <c>await using var clientEnd = new EventClient(channel).InTime(out
    /// var client)</c>. A plain <c>await using</c> waits without a bound.
    /// </summary>
    public static DisposalInTime InTime<T>(
        this T owned, out T same, [CallerArgumentExpression(nameof(owned))] string? what = null)
        where T : IAsyncDisposable
    {
        same = owned;
        return new DisposalInTime(owned, $"the disposal of {what}");
    }

    /// <summary>Waits for what gives no signal of its own.</summary>
    public static Task UntilAsync(
        Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null) =>
        UntilAsync(condition, () => $"Did not come true within {Value}: {what}");

    /// <summary>
    /// Waits for what gives no signal of its own, and says by a text of the test's what there is instead.
    /// </summary>
    public static async Task UntilAsync(Func<bool> condition, Func<string> describe)
    {
        var giveUpAt = Deadline;
        while (!condition())
        {
            if (DateTime.UtcNow > giveUpAt)
            {
                Assert.Fail(describe());
            }

            await Task.Delay(PollInterval, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Asks another process again and again until it is so.</summary>
    public static async Task UntilAsync(
        Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var giveUpAt = Deadline;
        while (!await condition().InTime(what))
        {
            if (DateTime.UtcNow > giveUpAt)
            {
                Assert.Fail($"Did not come true within {Value}: {what}");
            }

            await Task.Delay(PollInterval, TestContext.Current.CancellationToken);
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
