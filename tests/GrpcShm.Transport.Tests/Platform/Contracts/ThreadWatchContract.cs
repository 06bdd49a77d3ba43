using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts;

/// <summary>The promises of a <see cref="ThreadWatch"/> on every system, also on a system that says nothing.</summary>
public abstract class ThreadWatchContract : PlatformContract
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);

    private protected ThreadWatchContract(PlatformMake make)
        : base(make)
    {
    }

    [Fact]
    public async Task IsKeptFromProcessor_ThreadWaits_Never()
    {
        using var end = new ManualResetEventSlim();
        var watch = await WatchAsync(end.Wait);
        await TimeLimit.UntilAsync(
            () =>
            {
                // The watch may have looked at the thread before it began to wait.
                watch.Note();
                return Enumerable.Range(0, 50).All(_ => !Ask(watch));
            },
            () => "A thread that waits is taken for one that could run.");
        end.Set();
    }

    [Fact]
    public async Task IsKeptFromProcessor_ThreadHasEnded_IsNot()
    {
        var watch = await WatchAsync(static () => { });
        await TimeLimit.UntilAsync(
            () => !Ask(watch), () => "A thread that is no more is taken for one that could run.");
    }

    private protected static bool Ask(ThreadWatch watch)
    {
        Thread.CurrentThread.Join(Interval);
        return watch.IsKeptFromProcessor(Interval);
    }

    private protected Task<ThreadWatch> WatchAsync(Action run)
    {
        var made = new TaskCompletionSource<ThreadWatch>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            made.SetResult(Platform.WatchThread());
            run();
        })
        { IsBackground = true }.Start();
        return made.Task.InTime();
    }
}
