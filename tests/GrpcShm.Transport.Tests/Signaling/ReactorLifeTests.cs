using System.Collections.Concurrent;
using System.Diagnostics;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class ReactorLifeTests
{
    [Fact]
    public async Task Unregister_TheLastOne_LoopAndSentinelEndAndThePollerIsGone()
    {
        var runner = new WorkRunner();
        Assert.True(await runner.RunAsync(new RunProfile(RunMode.Inline), () => runner.IsHere));
        Assert.True(runner.Reactor.IsRunning);
        Assert.True(runner.Sentinel.HasThread);
        runner.Dispose();
        await TimeLimit.UntilAsync(
            () => !runner.Reactor.IsRunning && runner.Poller!.IsDisposed, () => "The loop goes on.");
        await TimeLimit.UntilAsync(() => !runner.Sentinel.HasThread, () => "The sentinel goes on.");
        Assert.Null(runner.Poller!.Misuse);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Register_WhileTheLoopEnds_IsServedEachTime(int threads)
    {
        var pollers = new ConcurrentQueue<TestPoller>();
        var reactor = new Reactor(
            () =>
            {
                var poller = new TestPoller(TransportPlatform.Current.CreatePoller());
                pollers.Enqueue(poller);
                return poller;
            },
            "test reactor",
            new AdaptiveWait(TimeSpan.Zero),
            TransportPlatform.Current.WatchThread,
            static () => TimeSpan.Zero);
        reactor.WatchBy(new Sentinel([reactor]));

        // Each of the waits has an end; how long all of them take depends on how busy the machine is.
        await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Factory.StartNew(
            () => RegisterTimeAndAgain(reactor),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        await TimeLimit.UntilAsync(
            () => !reactor.IsRunning && pollers.All(static p => p.IsDisposed), () => "The last loop goes on.");
        Assert.True(pollers.Count > 1, "It never ended meanwhile.");
        Assert.All(pollers, static p => Assert.Null(p.Misuse));
    }

    [Fact]
    public async Task Loop_EndsWhileAThreadIsAway_ThatEndsWhenItComesBack()
    {
        var runner = new WorkRunner(static () => new FakeThreadWatch(isKept: false));
        using var go = new ManualResetEventSlim();
        var thread = new TaskCompletionSource<Thread>(TaskCreationOptions.RunContinuationsAsynchronously);
        runner.Post(new RunProfile(RunMode.Inline), () =>
        {
            thread.SetResult(Thread.CurrentThread);
            go.Wait(TimeLimit.Value);
        });
        var away = await thread.Task.InTime();
        runner.Dispose();
        await TimeLimit.UntilAsync(() => !runner.Reactor.IsRunning, () => "The loop goes on.");
        await TimeLimit.UntilAsync(() => !runner.Sentinel.HasThread, () => "The sentinel goes on.");
        Assert.True(away.IsAlive);
        go.Set();
        Assert.True(away.Join(TimeLimit.Value), "The thread that came back goes on.");
    }

    [Fact]
    public async Task Loop_HasSpares_TheyEndWithIt()
    {
        var runner = new WorkRunner(static () => new FakeThreadWatch(isKept: false));
        using var go = new ManualResetEventSlim();
        var threads = new ConcurrentBag<Thread>();
        for (var i = 1; i <= 2; i++)
        {
            runner.Post(new RunProfile(RunMode.Inline), () =>
            {
                threads.Add(Thread.CurrentThread);
                go.Wait(TimeLimit.Value);
            });
            await TimeLimit.UntilAsync(() => threads.Count == i, () => $"{threads.Count} run.");
        }

        go.Set();
        Assert.True(await runner.RunAsync(new RunProfile(RunMode.Inline), () =>
        {
            threads.Add(Thread.CurrentThread);
            return runner.IsHere;
        }));
        runner.Dispose();
        await TimeLimit.UntilAsync(
            () => threads.All(static t => !t.IsAlive), () => $"{threads.Count(static t => t.IsAlive)} threads go on.");
    }

    [Fact]
    public async Task EndIfIdle_LongIdleTime_EndsAsSoonAsThereIsNothingToServe()
    {
        var idle = TimeSpan.FromHours(1);
        TestPoller? poller = null;
        var reactor = new Reactor(
            () => poller = new TestPoller(TransportPlatform.Current.CreatePoller()),
            "test reactor",
            new AdaptiveWait(TimeSpan.Zero),
            TransportPlatform.Current.WatchThread,
            () => idle);
        using var bell = TransportPlatform.Current.CreateDoorbell();
        var target = new FakeTarget();
        var first = reactor.Register(bell.Source, target);
        var loop = poller;
        first.Dispose();
        using (reactor.Register(bell.Source, target))
        {
            Assert.Same(loop, poller);
            idle = TimeSpan.Zero;
            reactor.EndIfIdle();
            bell.Ring();
            await target.WaitForReadyAsync();
            Assert.True(reactor.IsRunning);
        }

        await TimeLimit.UntilAsync(() => !reactor.IsRunning, () => "The loop goes on.");
    }

    private static void RegisterTimeAndAgain(Reactor reactor)
    {
        using var bell = TransportPlatform.Current.CreateDoorbell();
        var target = new CountingTarget();
        for (var i = 1; i <= 1_000; i++)
        {
            using (reactor.Register(bell.Source, target))
            {
                bell.Ring();
                target.WaitFor(i);
            }

            // Sometimes before the end, sometimes in the middle of it, sometimes after.
            var goOnAt = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 1_000_000 * (i % 200));
            while (Stopwatch.GetTimestamp() < goOnAt)
            {
                Thread.Yield();
            }
        }
    }

    private sealed class CountingTarget : IReactorTarget
    {
        private readonly object _gate = new();
        private int _count;

        public void OnReady(Reactor reactor)
        {
            lock (_gate)
            {
                _count++;
                Monitor.Pulse(_gate);
            }
        }

        public void OnFault(Exception exception) => throw exception;

        /// <summary>
        /// Waits until the target has been called at least so often: an event that is on its way may still come.
        /// </summary>
        public void WaitFor(int count)
        {
            lock (_gate)
            {
                while (_count < count)
                {
                    Assert.True(Monitor.Wait(_gate, TimeLimit.Value), $"Call {count} does not come.");
                }

                _count = count;
            }
        }
    }
}
