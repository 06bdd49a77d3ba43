using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Transport.Tests.Platform;

public sealed partial class LinuxThreadWatchTests
{
    // As many processors as the C library's own type has room for.
    private const int MaskWords = 1024 / 64;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(2);

    [Fact]
    public async Task IsKeptFromProcessor_ThreadBlocks_Never()
    {
        using var end = new ManualResetEventSlim();
        var watch = await WatchAsync(end.Wait);
        await TimeLimit.UntilAsync(
            () =>
            {
                // It may have been looked at while it ran, and lack a processor before it comes to wait.
                watch.Note();
                return Enumerable.Range(0, 50).All(_ => !Ask(watch));
            },
            () => "A thread that has begun to wait is still taken for one that could run.");
        end.Set();
    }

    [Fact]
    public async Task IsKeptFromProcessor_ThreadComputes_NotWhileItHasAProcessor()
    {
        var isDone = false;
        var watch = await WatchAsync(() => SpinUntil(ref isDone));
        watch.Note();
        await TimeLimit.UntilAsync(() => !Ask(watch), () => "It never had a processor.");
        Volatile.Write(ref isDone, true);
    }

    [Fact]
    public async Task IsKeptFromProcessor_OthersHaveTheProcessor_SaysSo()
    {
        var isDone = false;
        var processor = FirstProcessor();
        List<LinuxThreadWatch> watches = [];
        for (var i = 0; i < 8; i++)
        {
            watches.Add(await WatchAsync(() =>
            {
                PinTo(processor);
                SpinUntil(ref isDone);
            }));
        }

        // All on one: hardly any of them can have had it since the last question.
        watches[0].Note();
        await TimeLimit.UntilAsync(
            () => Ask(watches[0]), () => "Eight threads on one processor, and it always had it.");
        Volatile.Write(ref isDone, true);
    }

    private static bool Ask(LinuxThreadWatch watch)
    {
        Thread.CurrentThread.Join(Interval);
        return watch.IsKeptFromProcessor(Interval);
    }

    private static void SpinUntil(ref bool isDone)
    {
        while (!Volatile.Read(ref isDone))
        {
            Thread.SpinWait(100);
        }
    }

    private static Task<LinuxThreadWatch> WatchAsync(Action run)
    {
        var made = new TaskCompletionSource<LinuxThreadWatch>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            made.SetResult(new LinuxThreadWatch());
            run();
        })
        { IsBackground = true };
        thread.Start();
        return made.Task.InTime();
    }

    private static unsafe int FirstProcessor()
    {
        var mask = stackalloc ulong[MaskWords];
        Assert.Equal(0, GetAffinity(0, MaskWords * sizeof(ulong), mask));
        return Enumerable.Range(0, MaskWords * 64).First(i => (mask[i / 64] >> (i % 64) & 1) != 0);
    }

    private static unsafe void PinTo(int processor)
    {
        var mask = stackalloc ulong[MaskWords];
        mask[processor / 64] = 1UL << (processor % 64);
        Assert.Equal(0, SetAffinity(0, MaskWords * sizeof(ulong), mask));
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static unsafe partial int GetAffinity(int thread, nuint size, ulong* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static unsafe partial int SetAffinity(int thread, nuint size, ulong* mask);
}
