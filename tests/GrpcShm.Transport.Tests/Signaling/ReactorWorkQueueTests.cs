using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>A queue without a loop. Each test's thread leads.</summary>
public sealed class ReactorWorkQueueTests
{
    private readonly Reactor _reactor = IdleReactor.Create();
    private readonly ReactorLeadership _leadership;
    private readonly ReactorWorkQueue _queue;

    public ReactorWorkQueueTests()
    {
        _leadership = new ReactorLeadership(_reactor, new OwedWakes());
        _queue = new ReactorWorkQueue(_leadership, new Lock(), "test reactor");
        _leadership.WatchBy(new Sentinel([]));
    }

    [Fact]
    public Task Run_Work_RunsInOrderWhileTheThreadIsAway() => LeaderThread.RunAsync(() =>
    {
        var ran = new List<(int Number, bool IsAway, Reactor? Running)>();
        _leadership.Begin(UnknownThreadWatch.Instance);
        for (var i = 0; i < 3; i++)
        {
            var number = i;
            Assert.True(_queue.TryAdd(new Work(() => ran.Add(
                (number, ReactorLeadership.IsAway(_leadership.Word), ReactorLeadership.Running)))));
        }

        Assert.True(_queue.Run());

        Assert.Equal([(0, true, null), (1, true, null), (2, true, null)], ran);
        Assert.False(ReactorLeadership.IsAway(_leadership.Word));
        Assert.Same(_reactor, ReactorLeadership.Running);
    });

    [Fact]
    public Task Run_AnotherThreadTakesOver_LeavesTheRestToIt() => LeaderThread.RunAsync(() =>
    {
        var ran = 0;
        _leadership.Begin(UnknownThreadWatch.Instance);
        _queue.TryAdd(new Work(() => Assert.True(_leadership.TryTakeOver(_leadership.Word, isItsFault: true))));
        _queue.TryAdd(new Work(() => ran++));

        Assert.False(_queue.Run());
        Assert.Equal(0, ran);

        // This thread now plays the thread that has taken over.
        _leadership.Begin(UnknownThreadWatch.Instance);
        Assert.True(_queue.Run());
        Assert.Equal(1, ran);
    });

    [Fact]
    public async Task Run_ModeOfThePool_RunsThere()
    {
        var onPool = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await LeaderThread.RunAsync(() =>
        {
            _leadership.Begin(UnknownThreadWatch.Instance);
            _queue.TryAdd(new Work(
                () => onPool.SetResult(Thread.CurrentThread.IsThreadPoolThread), RunMode.ThreadPool));
            Assert.True(_queue.Run());
        });
        Assert.True(await onPool.Task.InTime());
    }

    [Fact]
    public void TryAdd_NobodyWatches_Refuses() =>
        Assert.False(new ReactorWorkQueue(new ReactorLeadership(_reactor, new OwedWakes()), new Lock(), "test reactor")
            .TryAdd(new Work(() => { })));

    [Fact]
    public Task TakeAll_QueuedWork_IsNotRunAnyMore() => LeaderThread.RunAsync(() =>
    {
        var work = new Work(() => Assert.Fail("It runs."));
        _leadership.Begin(UnknownThreadWatch.Instance);
        _queue.TryAdd(work);
        Assert.Same(work, Assert.Single(_queue.TakeAll()));
        Assert.True(_queue.Run());
    });

    private sealed class Work(Action action, RunMode mode = RunMode.Inline) : ReactorWork
    {
        public override RunProfile Profile { get; } = new(mode);

        public override void Run() => action();
    }
}
