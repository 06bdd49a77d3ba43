using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class OwedWakesTests
{
    private readonly OwedWakes _owed = new();
    private readonly ReactorLeadership _leadership;

    public OwedWakesTests()
    {
        _leadership = new ReactorLeadership(IdleReactor.Create(), _owed);
        _leadership.WatchBy(new Sentinel([]));
    }

    [Fact]
    public void TryOwe_ThreadOfNoReactor_LeavesItToTheCaller()
    {
        var wake = new FakeWake();

        Assert.False(Reactor.TryOwe(wake));

        Assert.Equal(0, wake.Count);
        Assert.True(wake.TryOwe());
    }

    [Fact]
    public Task TryOwe_Twice_IsPaidOnce() => LeaderThread.RunAsync(() =>
    {
        var wake = new FakeWake();
        _leadership.Begin(UnknownThreadWatch.Instance);

        Assert.True(Reactor.TryOwe(wake));
        Assert.True(Reactor.TryOwe(wake));

        Assert.Equal(0, wake.Count);
        _owed.Pay();
        _owed.Pay();
        Assert.Equal(1, wake.Count);
    });

    [Fact]
    public Task TryOwe_AfterItWasPaid_IsOwedAgain() => LeaderThread.RunAsync(() =>
    {
        var wake = new FakeWake();
        _leadership.Begin(UnknownThreadWatch.Instance);
        for (var i = 1; i <= 3; i++)
        {
            Assert.True(Reactor.TryOwe(wake));
            _owed.Pay();
            Assert.Equal(i, wake.Count);
        }
    });

    [Fact]
    public Task TryOwe_WhileItIsPaid_IsOwedAgain() => LeaderThread.RunAsync(() =>
    {
        // As if another thread sent something between the mark and the look.
        FakeWake wake = null!;
        wake = new FakeWake { OnPaid = () => _ = wake.Count == 1 && Reactor.TryOwe(wake) };
        _leadership.Begin(UnknownThreadWatch.Instance);
        Assert.True(Reactor.TryOwe(wake));

        _owed.Pay();

        Assert.True(_owed.HasAny);
        _owed.Pay();
        Assert.Equal(2, wake.Count);
        Assert.False(_owed.HasAny);
    });

    [Fact]
    public Task TryOwe_InForeignCode_WaitsForTheLeader() => LeaderThread.RunAsync(() =>
    {
        var wake = new FakeWake();
        _leadership.Begin(UnknownThreadWatch.Instance);
        var away = _leadership.Leave(new RunProfile(RunMode.Inline));

        Assert.True(Reactor.TryOwe(wake));

        Assert.Equal(0, wake.Count);
        Assert.True(_leadership.TryComeBack(away));
        Assert.Equal(0, wake.Count);
        Assert.True(_owed.HasAny);
    });

    [Fact]
    public Task TryOwe_AnotherThreadHasTakenOver_PaysAtOnce() => LeaderThread.RunAsync(() =>
    {
        var (before, after, late) = (new FakeWake(), new FakeWake(), new FakeWake());
        _leadership.Begin(UnknownThreadWatch.Instance);
        var away = _leadership.Leave(new RunProfile(RunMode.Inline));
        Assert.True(Reactor.TryOwe(before));
        Assert.True(_leadership.TryTakeOver(away, isItsFault: true));

        // The new leader may sleep already.
        Assert.True(Reactor.TryOwe(after));

        Assert.Equal((1, 1), (before.Count, after.Count));
        Assert.False(_leadership.TryComeBack(away));
        Assert.False(Reactor.TryOwe(late));
    });

    [Fact]
    public Task Stop_TheLoopEnds_NothingIsOwedAnyMore() => LeaderThread.RunAsync(() =>
    {
        _leadership.Begin(UnknownThreadWatch.Instance);
        ReactorLeadership.Stop();
        Assert.False(Reactor.TryOwe(new FakeWake()));
    });

    [Fact]
    public Task CountRound_LeaderDoesNotSleep_PaysAfterSoManyRounds() => LeaderThread.RunAsync(() =>
    {
        _leadership.Begin(UnknownThreadWatch.Instance);
        for (var times = 0; times < 2; times++)
        {
            var wake = new FakeWake();
            _owed.CountRound();
            Assert.True(Reactor.TryOwe(wake));
            for (var rounds = 1; rounds < OwedWakes.MostRounds; rounds++)
            {
                _owed.CountRound();
                Assert.Equal(0, wake.Count);
            }

            _owed.CountRound();
            Assert.Equal(1, wake.Count);
        }
    });

    [Fact]
    public async Task Reactor_HasNothingElseToDo_Pays()
    {
        using var runner = new WorkRunner();
        var wake = new FakeWake();

        // Wherever it runs: on the pool nothing is owed.
        Assert.True(await runner.RunAsync(new RunProfile(RunMode.Inline), () => Reactor.TryOwe(wake)));

        Assert.Equal(runner.Name, await wake.Paid.InTime());
        Assert.Equal(1, wake.Count);
    }

    [Fact]
    public async Task Reactor_CodeThatOwesBlocks_TheThreadThatTakesOverPays()
    {
        using var runner = new WorkRunner();
        var wake = new FakeWake();

        var isPaid = await runner.RunAsync(
            new RunProfile(RunMode.Inline),
            () => Reactor.TryOwe(wake) && wake.Paid.Wait(TimeLimit.Value, TestContext.Current.CancellationToken));

        Assert.True(isPaid);
    }

    [Fact]
    public async Task Reactor_CodeThatHasBeenHeldUpOwes_IsPaidToo()
    {
        using var runner = new WorkRunner();
        var profile = new RunProfile(RunMode.Inline);
        var wake = new FakeWake();
        var held = runner.RunAsync(profile, () =>
        {
            // Until another thread leads.
            var other = runner.RunAsync(profile, () => runner.IsHere);
            return other.Wait(TimeLimit.Value, TestContext.Current.CancellationToken)
                && Reactor.TryOwe(wake)
                && wake.Count == 1;
        });

        Assert.True(await held.InTime());
    }

    [Fact]
    public async Task Reactor_Fails_Pays()
    {
        using var runner = new WorkRunner();
        var wake = new FakeWake();
        Assert.True(await runner.RunAsync(new RunProfile(RunMode.Inline), () =>
        {
            runner.Poller!.Failure = new IOException("Waiting was forbidden.");
            return Reactor.TryOwe(wake);
        }));
        await wake.Paid.InTime();
    }
}
