using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Tests.Platform.Makes;

namespace GrpcShm.Transport.Tests.Platform.Contracts.Linux;

/// <summary>The contract, and the further cases that this system's kernel can tell apart.</summary>
public sealed partial class LinuxThreadWatchTests() : ThreadWatchContract(new LinuxMake())
{
    // For as many processors as the C library's own type has room for.
    private const int MaskWords = 1024 / 64;

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
        List<ThreadWatch> watches = [];
        for (var i = 0; i < 8; i++)
        {
            watches.Add(await WatchAsync(() =>
            {
                PinTo(processor);
                SpinUntil(ref isDone);
            }));
        }

        // All threads on one processor: most of them can hardly have run since the last question.
        watches[0].Note();
        await TimeLimit.UntilAsync(
            () => Ask(watches[0]), () => "Eight threads on one processor, and it always had it.");
        Volatile.Write(ref isDone, true);
    }

    private static void SpinUntil(ref bool isDone)
    {
        while (!Volatile.Read(ref isDone))
        {
            Thread.SpinWait(100);
        }
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
