using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>
/// The life of a loop without real threads: each thread is only a turn, and the test looks whether the turn was given.
/// </summary>
public sealed class ReactorLifePartTests : IDisposable
{
    private readonly Doorbell _bell = TransportPlatform.Current.CreateDoorbell();
    private readonly List<TestPoller> _pollers = [];
    private readonly List<ReactorTurn> _turns = [];
    private readonly ReactorLife _life;
    private Exception? _threadFailure;
    private TimeSpan _idleTime = TimeSpan.FromHours(1);

    public ReactorLifePartTests()
    {
        var reactor = new Reactor(
            CreatePoller,
            "test reactor",
            new AdaptiveWait(TimeSpan.Zero),
            static () => UnknownThreadWatch.Instance,
            () => _idleTime);
        _life = new ReactorLife(
            "test reactor",
            CreatePoller,
            StartThread,
            () => _idleTime,
            new ReactorLeadership(reactor, new OwedWakes()));
    }

    public void Dispose()
    {
        if (_life.IsRunning)
        {
            Detach();
        }

        _pollers.ForEach(static poller => poller.Dispose());
        _turns.ForEach(static turn => turn.Dispose());
        _bell.Dispose();
    }

    [Fact]
    public void Register_First_StartsALoopWhoseThreadHasItsTurn()
    {
        var target = new FakeTarget();
        var token = _life.Register(_bell.Source, target);
        Assert.True(_life.IsRunning);
        Assert.False(_life.SeemsIdle);
        Assert.Same(target, _life.Find(token));
        Assert.True(Assert.Single(_turns).Wait());

        using var bell = TransportPlatform.Current.CreateDoorbell();
        _life.Register(bell.Source, new FakeTarget());
        Assert.Single(_pollers);
        Assert.Single(_turns);
    }

    [Fact]
    public void Unregister_TheLast_WakesTheLeaderWhichThenWaitsForTheIdleTime()
    {
        var token = _life.Register(_bell.Source, new FakeTarget());
        Assert.Equal(Timeout.Infinite, _life.MillisecondsToWait());

        _life.Unregister(_bell.Source, token);

        Assert.True(_life.SeemsIdle);
        var events = new PollEvent[2];
        Assert.Equal(1, _life.Poller!.Wait(events, block: false));
        Assert.Equal(Poller.WakeToken, events[0].Token);
        Assert.InRange(_life.MillisecondsToWait(), 1, 3_600_000);
        _idleTime = TimeSpan.Zero;
        Assert.Equal(0, _life.MillisecondsToWait());
    }

    [Fact]
    public void Detach_WithSpares_TheyEndAndTheNextRegistrationStartsAnew()
    {
        _life.Register(_bell.Source, new FakeTarget());
        var spare = new ReactorTurn();
        _turns.Add(spare);
        Assert.True(_life.TryKeep(spare));

        Assert.Same(_pollers[0], Detach());

        Assert.False(_life.IsRunning);
        Assert.False(spare.Wait());
        _life.Register(_bell.Source, new FakeTarget());
        Assert.Equal(2, _pollers.Count);
    }

    [Fact]
    public void Unregister_AfterTheLoopHasFailed_LeavesTheNextLoopAlone()
    {
        var old = _life.Register(_bell.Source, new FakeTarget());
        Detach();
        using var bell = TransportPlatform.Current.CreateDoorbell();
        var target = new FakeTarget();
        var token = _life.Register(bell.Source, target);

        _life.Unregister(_bell.Source, old);

        Assert.False(_life.SeemsIdle);
        Assert.Same(target, _life.Find(token));
        Assert.Null(_pollers[1].Misuse);
    }

    [Fact]
    public void TryKeep_TwoAreEnough_OthersEnd()
    {
        _life.Register(_bell.Source, new FakeTarget());
        var turns = Enumerable.Range(0, 3).Select(static _ => new ReactorTurn()).ToList();
        _turns.AddRange(turns);
        Assert.True(_life.TryKeep(turns[0]));
        Assert.True(_life.TryKeep(turns[1]));

        _life.GiveBack(turns[2]);
        Assert.False(turns[2].Wait());

        Assert.Same(turns[1], _life.TakeThread());
        Assert.Same(turns[0], _life.TakeThread());
        Assert.DoesNotContain(_life.TakeThread(), turns);
    }

    [Fact]
    public void TryKeep_NoLoop_TheThreadHasToEnd()
    {
        using var turn = new ReactorTurn();
        Assert.False(_life.TryKeep(turn));
    }

    [Fact]
    public void Register_NoThread_SaysSoAndLeavesNothingBehind()
    {
        _threadFailure = new ThreadStateException("No thread.");
        var failure = Assert.Throws<SharedMemoryResourcesException>(
            () => _life.Register(_bell.Source, new FakeTarget()));
        Assert.Contains("'test reactor'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("No thread.", failure.Message, StringComparison.Ordinal);
        Assert.False(_life.IsRunning);
        Assert.True(Assert.Single(_pollers).IsDisposed);
        Assert.Empty(_life.Targets());
        _pollers.Clear();
    }

    [Fact]
    public void WakeIfIdle_SomethingIsRegistered_DoesNotWake()
    {
        _life.WakeIfIdle();
        var token = _life.Register(_bell.Source, new FakeTarget());
        _life.WakeIfIdle();
        var events = new PollEvent[2];
        Assert.Equal(0, _life.Poller!.Wait(events, block: false));

        _life.Unregister(_bell.Source, token);
        Assert.Equal(1, _life.Poller!.Wait(events, block: false));
        _life.WakeIfIdle();
        Assert.Equal(1, _life.Poller!.Wait(events, block: false));
    }

    private TestPoller CreatePoller()
    {
        var poller = new TestPoller(TransportPlatform.Current.CreatePoller());
        _pollers.Add(poller);
        return poller;
    }

    private ReactorTurn StartThread()
    {
        var turn = _threadFailure is null ? new ReactorTurn() : throw _threadFailure;
        _turns.Add(turn);
        return turn;
    }

    private Poller Detach()
    {
        lock (_life.Gate)
        {
            _life.RemoveTargets();
            return _life.Detach();
        }
    }
}
