using System.Runtime.ExceptionServices;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class ReactorFailureTests
{
    private static readonly TaskCompletionSource<Exception> Unhandled = new(
        TaskCreationOptions.RunContinuationsAsynchronously);

    static ReactorFailureTests() =>
        ExceptionHandling.SetUnhandledExceptionHandler(static exception =>
            exception is ForeignException && Unhandled.TrySetResult(exception));

    [Fact]
    public async Task Wait_Fails_TargetsEndWithTheReasonLoggedOnceAndTheNextLoopServes()
    {
        using var runner = new WorkRunner();
        var log = new LogCollector();
        var targets = new List<FailingTarget>();
        for (var i = 0; i < 3; i++)
        {
            targets.Add(new FailingTarget(runner.Reactor, log));
        }

        var first = runner.Poller!;
        first.Failure = new IOException("Waiting was forbidden.");
        first.Wake();
        foreach (var target in targets)
        {
            var failure = await target.Failed.Task.InTime();
            Assert.Contains("Waiting was forbidden.", failure.Message, StringComparison.Ordinal);
        }

        var line = Assert.Single(log.Lines);
        Assert.Equal((LogLevel.Error, "ReactorFailed"), (line.Level, line.Name));
        Assert.True(first.IsDisposed);

        // Registrations of the old loop do no harm to the new loop.
        targets.ForEach(static target => target.Dispose());
        using var bell = TransportPlatform.Current.CreateDoorbell();
        var next = new FakeTarget();
        using var registration = runner.Reactor.Register(bell.Source, next);
        bell.Ring();
        await next.WaitForReadyAsync();
        Assert.NotSame(first, runner.Poller);
        Assert.Null(first.Misuse);
    }

    [Fact]
    public async Task Wait_FailsWithWorkInTheQueue_TheWorkRunsAllTheSame()
    {
        using var runner = new WorkRunner();
        using var ran = new CountdownEvent(2);
        runner.Post(
            new RunProfile(RunMode.Inline),
            () =>
            {
                // The loop goes on to wait after this work.
                runner.Poller!.Failure = new InvalidOperationException("No more.");
                ran.Signal();
            },
            () => ran.Signal());
        await TimeLimit.UntilAsync(() => ran.IsSet, () => $"{ran.CurrentCount} have not run.");
    }

    [Fact]
    public async Task WatchThread_Throws_TheReactorServesWithoutIt()
    {
        using var runner = new WorkRunner(static () => throw new EntryPointNotFoundException("gettid"));
        using var never = new ManualResetEventSlim();
        var profile = new RunProfile(RunMode.Inline);
        Assert.True(await runner.RunAsync(profile, () => runner.IsHere));
        runner.Post(profile, () => never.Wait(TimeLimit.Value));
        Assert.True(await runner.RunAsync(profile, () => runner.IsHere));
        never.Set();
    }

    [Fact]
    public async Task Watch_Throws_TheSentinelTakesOverAllTheSame()
    {
        using var runner = new WorkRunner(static () => new ThrowingThreadWatch());
        using var never = new ManualResetEventSlim();
        var profile = new RunProfile(RunMode.Inline);
        for (var i = 0; i < 2; i++)
        {
            runner.Post(profile, () => never.Wait(TimeLimit.Value));
            Assert.True(await runner.RunAsync(profile, () => runner.IsHere));
        }

        never.Set();
    }

    [Fact]
    public async Task Work_LetsAnExceptionThrough_ItMeetsTheProcessOnThePoolAndTheReactorGoesOn()
    {
        using var runner = new WorkRunner();
        var profile = new RunProfile(RunMode.Inline);
        runner.Post(profile, static () => throw new ForeignException());
        Assert.IsType<ForeignException>(await Unhandled.Task.InTime());
        var before = runner.Poller;
        Assert.True(await runner.RunAsync(profile, () => runner.IsHere));
        Assert.Same(before, runner.Poller);
    }

    [Fact]
    public void Register_NoThreadOrPollerToBeHad_SaysSoAndTheNextTriesAgain()
    {
        var isForbidden = true;
        var reactor = new Reactor(
            () => isForbidden ? throw new ThreadStateException("No thread.") : TransportPlatform.Current.CreatePoller(),
            "test reactor",
            new AdaptiveWait(TimeSpan.Zero),
            TransportPlatform.Current.WatchThread,
            static () => TimeSpan.Zero);
        reactor.WatchBy(new Sentinel([reactor]));
        using var bell = TransportPlatform.Current.CreateDoorbell();
        var failure = Assert.Throws<SharedMemoryResourcesException>(
            () => reactor.Register(bell.Source, new FakeTarget()));
        Assert.Contains("No thread.", failure.Message, StringComparison.Ordinal);
        Assert.False(reactor.IsRunning);
        isForbidden = false;
        using var registration = reactor.Register(bell.Source, new FakeTarget());
        Assert.True(reactor.IsRunning);
    }

    [Fact]
    public async Task OnReactorFailed_Connection_ReadsEndWithTheReason()
    {
        await using var pair = await ConnectionPair.CreateAsync();
        await using var client = new RingStream(pair.Client, FileAccess.ReadWrite);
        var reading = client.ReadAsync(new byte[1], TestContext.Current.CancellationToken).AsTask();
        pair.Client.OnReactorFailed(new ReactorFailedException("a reactor", new IOException("Waiting was forbidden.")));
        var failure = await Assert.ThrowsAnyAsync<IOException>(() => reading.InTime());
        Assert.Contains("Waiting was forbidden.", failure.Message, StringComparison.Ordinal);
        await TimeLimit.UntilAsync(
            () => pair.Server.Cause is { ByPeer: true, Code: CloseCode.Aborted },
            () => $"The server knows {pair.Server.Cause}.");
    }

    private sealed class ForeignException : Exception;

    private sealed class ThrowingThreadWatch : ThreadWatch
    {
        public override bool IsKeptFromProcessor(TimeSpan elapsed) =>
            throw new EntryPointNotFoundException("clock_gettime");

        public override void Note() => throw new EntryPointNotFoundException("clock_gettime");
    }

    private sealed class FailingTarget : IReactorTarget, IDisposable
    {
        private readonly Doorbell _bell = TransportPlatform.Current.CreateDoorbell();
        private readonly ReactorRegistration _registration;

        public FailingTarget(Reactor reactor, ILogger logger)
        {
            Logger = logger;
            _registration = reactor.Register(_bell.Source, this);
        }

        public ILogger Logger { get; }

        public TaskCompletionSource<ReactorFailedException> Failed { get; } = new(
            TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnReady(Reactor reactor)
        {
        }

        public void OnFault(Exception exception)
        {
        }

        public void OnReactorFailed(ReactorFailedException failure) => Failed.TrySetResult(failure);

        public void Dispose()
        {
            _registration.Dispose();
            _bell.Dispose();
        }
    }
}
