using System.Globalization;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class ReactorLeadingTests
{
    private static readonly AsyncLocal<string?> Local = new();

    [Theory]
    [InlineData((int)RunMode.Inline, true)]
    [InlineData((int)RunMode.Adaptive, true)]
    [InlineData((int)RunMode.ThreadPool, false)]
    public async Task Schedule_ShortWork_RunsWhereTheModeSays(int mode, bool isHere)
    {
        using var runner = new WorkRunner();
        Assert.Equal((isHere, !isHere, false), await runner.RunAsync(
            new RunProfile((RunMode)mode),
            () => (runner.IsHere, Thread.CurrentThread.IsThreadPoolThread, Reactor.Running is not null)));
    }

    [Fact]
    public async Task Work_BlocksForEver_AnotherThreadLeadsAndItsLikeGoesToThePool()
    {
        // On a busy machine a thread can lack a processor, and its work is not blamed for it. Here the work that blocks
        // is blamed in any case, and all other work in none.
        var blocking = new RunProfile(RunMode.Adaptive);
        using var runner = new WorkRunner(() => new FakeThreadWatch(() => !blocking.MayRunInline));
        using var never = new ManualResetEventSlim();
        var other = new RunProfile(RunMode.Adaptive);
        runner.Post(blocking, () => never.Wait(TimeLimit.Value));
        Assert.True(await runner.RunAsync(other, () => runner.IsHere));
        Assert.False(blocking.MayRunInline);
        Assert.False(await runner.RunAsync(blocking, () => runner.IsHere));
        Assert.True(other.MayRunInline);
        never.Set();

        // The thread that was away is a spare now, and does no harm.
        for (var i = 0; i < 100; i++)
        {
            Assert.True(await runner.RunAsync(other, () => runner.IsHere));
        }
    }

    [Fact]
    public async Task Work_LacksAProcessor_IsGivenMoreLooksAndNotBlamed()
    {
        var watch = new FakeThreadWatch(isKept: true);
        using var runner = new WorkRunner(() => watch);
        using var never = new ManualResetEventSlim();
        var profile = new RunProfile(RunMode.Adaptive);
        var other = new RunProfile(RunMode.Adaptive);
        runner.Post(profile, () => never.Wait(TimeLimit.Value));
        Assert.True(await runner.RunAsync(other, () => runner.IsHere));
        Assert.True(watch.Questions >= 9, $"It was given {watch.Questions} looks.");
        Assert.True(profile.MayRunInline);
        never.Set();
    }

    [Fact]
    public async Task Work_ManyShortOnesForLong_ThoseBehindGoToIdleThreads()
    {
        using var runner = new WorkRunner();
        var profile = new RunProfile(RunMode.Adaptive);
        var (here, elsewhere) = (0, 0);
        var left = new CountdownEvent(200);
        var work = () =>
        {
            Interlocked.Increment(ref runner.IsHere ? ref here : ref elsewhere);

            // About 20 µs, which is short.
            Thread.SpinWait(300);
            left.Signal();
        };
        await TimeLimit.UntilAsync(
            () =>
            {
                left.Reset();
                runner.Post(profile, [.. Enumerable.Repeat(work, left.InitialCount)]);
                return left.Wait(TimeLimit.Value) && here > 0 && elsewhere > 0;
            },
            () => $"{here} ran on the reactor and {elsewhere} elsewhere.");
    }

    [Fact]
    public async Task Work_Spins_AnotherThreadLeads()
    {
        using var runner = new WorkRunner();
        var isDone = false;
        runner.Post(new RunProfile(RunMode.Adaptive), () =>
        {
            while (!Volatile.Read(ref isDone))
            {
                Thread.SpinWait(100);
            }
        });
        Assert.True(await runner.RunAsync(new RunProfile(RunMode.Adaptive), () => runner.IsHere));
        Volatile.Write(ref isDone, true);
    }

    [Theory]
    [InlineData((int)RunMode.Inline)]
    [InlineData((int)RunMode.Adaptive)]
    public async Task Work_WaitsForOneQueuedBehindIt_BothComeToAnEnd(int mode)
    {
        using var runner = new WorkRunner();
        using var second = new ManualResetEventSlim();
        var first = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        runner.Post(new RunProfile((RunMode)mode), () => first.SetResult(second.Wait(TimeLimit.Value)), second.Set);
        Assert.True(await first.Task.InTime());
    }

    [Fact]
    public async Task Work_OfADemotedKindQueuedInTheSameTurn_GoesToThePool()
    {
        // On a busy machine a thread can lack a processor before it begins to block. Then its work is not blamed.
        using var runner = new WorkRunner(static () => new FakeThreadWatch(isKept: false));
        using var go = new ManualResetEventSlim();
        var profile = new RunProfile(RunMode.Adaptive);
        var here = 0;
        var left = new CountdownEvent(4);
        Action work = () =>
        {
            Interlocked.Add(ref here, runner.IsHere ? 1 : 0);
            left.Signal();
            go.Wait(TimeLimit.Value);
        };
        runner.Post(profile, work, work, work, work);
        await TimeLimit.UntilAsync(() => left.IsSet, () => $"{left.CurrentCount} have not begun.");
        go.Set();
        Assert.Equal(1, here);
    }

    [Fact]
    public async Task Work_ManyBlockInline_PastTheCapTheyGoToThePool()
    {
        const int Cap = 16;
        using var runner = new WorkRunner();
        using var go = new ManualResetEventSlim();
        var profile = new RunProfile(RunMode.Inline);
        var here = 0;
        var running = 0;
        for (var i = 1; i <= Cap + 3; i++)
        {
            runner.Post(profile, () =>
            {
                Interlocked.Add(ref here, runner.IsHere ? 1 : 0);
                Interlocked.Increment(ref running);
                go.Wait(TimeLimit.Value);
            });
            await TimeLimit.UntilAsync(() => Volatile.Read(ref running) == i, () => $"{running} run of {i}.");
        }

        Assert.Equal(Cap, here);
        go.Set();

        // As the threads come back, work runs on the reactor again.
        await TimeLimit.UntilAsync(
            () => runner.RunAsync(profile, () => runner.IsHere).GetAwaiter().GetResult(),
            () => "Nothing runs on the reactor.");
    }

    [Fact]
    public async Task Work_LeavesItsMarksOnTheThread_NoneReachesTheNext()
    {
        using var runner = new WorkRunner();
        var profile = new RunProfile(RunMode.Inline);
        var state = () => (
            runner.IsHere,
            Environment.CurrentManagedThreadId,
            Local.Value,
            CultureInfo.CurrentCulture.NumberFormat.NumberDecimalSeparator,
            CultureInfo.CurrentUICulture.NumberFormat.NumberDecimalSeparator,
            SynchronizationContext.Current,
            Thread.CurrentThread.Priority,
            Thread.CurrentThread.IsBackground,
            ExecutionContext.IsFlowSuppressed());
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = "!";
        var clean = await runner.RunAsync(profile, state);
        await runner.RunAsync(profile, () =>
        {
            Local.Value = "mine";
            CultureInfo.CurrentCulture = CultureInfo.CurrentUICulture = culture;
            SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
            Thread.CurrentThread.Priority = ThreadPriority.BelowNormal;
            Thread.CurrentThread.IsBackground = false;
            Thread.CurrentThread.Name = "mine";
            ExecutionContext.SuppressFlow();
            return 0;
        });
        Assert.Equal(clean, await runner.RunAsync(profile, state));
    }

    [Fact]
    public async Task Sentinel_NothingRunsAnyMore_LooksNoMoreUntilSomethingDoes()
    {
        using var runner = new WorkRunner();
        for (var i = 0; i < 3; i++)
        {
            var before = runner.Sentinel.Looks;
            await runner.RunAsync(new RunProfile(RunMode.Inline), () => 0);
            await TimeLimit.UntilAsync(() => runner.Sentinel.Looks > before, () => "The sentinel does not look.");

            // It does not look during a wait of many of its intervals.
            await TimeLimit.UntilAsync(
                () =>
                {
                    var looks = runner.Sentinel.Looks;
                    Thread.CurrentThread.Join(TimeSpan.FromMilliseconds(40));
                    return runner.Sentinel.Looks == looks;
                },
                () => "The sentinel never sleeps.");
        }
    }

    [Fact]
    public async Task Work_ManyShortOnes_NoneIsLostOrDoneTwice()
    {
        using var runner = new WorkRunner();
        var profile = new RunProfile(RunMode.Inline);
        var counts = new int[20_000];
        var sum = 0;
        for (var i = 0; i < counts.Length; i += 10)
        {
            runner.Post(profile, [.. Enumerable.Range(i, 10).Select<int, Action>(n => () =>
            {
                counts[n]++;
                if (n % 5_000 == 0)
                {
                    // Long enough to be overtaken.
                    using var never = new ManualResetEventSlim();
                    never.Wait(20);
                }

                Interlocked.Increment(ref sum);
            })]);
        }

        await TimeLimit.UntilAsync(() => Volatile.Read(ref sum) == counts.Length, () => $"{sum} have run.");
        Assert.All(counts, count => Assert.Equal(1, count));
    }
}
