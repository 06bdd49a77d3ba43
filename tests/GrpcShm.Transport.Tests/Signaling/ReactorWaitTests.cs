using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>The announcing of sleep. Each test's thread leads a loop that has a poller but no thread.</summary>
public sealed class ReactorWaitTests : IDisposable
{
    private readonly Queue<IReactorTarget> _unfinished = new();
    private readonly OwedWakes _owed = new();
    private readonly Doorbell _bell = TransportPlatform.Current.CreateDoorbell();
    private readonly TestPoller _poller = new(TransportPlatform.Current.CreatePoller());
    private readonly ReactorTurn _thread = new();
    private readonly ReactorLife _life;
    private readonly ulong _token;
    private ReactorWait _wait;

    public ReactorWaitTests()
    {
        var reactor = new Reactor(
            () => _poller,
            "test reactor",
            new AdaptiveWait(TimeSpan.Zero),
            static () => UnknownThreadWatch.Instance,
            IdleTime);
        _life = new ReactorLife(
            "test reactor", () => _poller, () => _thread, IdleTime, new ReactorLeadership(reactor, new OwedWakes()));
        _token = _life.Register(_bell.Source, new FakeTarget());
        _wait = new ReactorWait(_life, _unfinished, new AdaptiveWait(TimeSpan.FromMilliseconds(1)), _owed);
    }

    private FakeWake Owe()
    {
        var wake = new FakeWake();
        Assert.True(wake.TryOwe());
        _owed.Add(wake);
        return wake;
    }

    public void Dispose()
    {
        _life.Unregister(_bell.Source, _token);
        _poller.Dispose();
        _thread.Dispose();
        _bell.Dispose();
    }

    [Fact]
    public void TryDeferSleep_Target_IsLookedAtAndAskedToRingBeforeTheWait()
    {
        var rings = new FakeRings();
        Assert.True(_wait.TryDeferSleep(rings));
        _bell.Ring();

        Assert.Equal(_token, Assert.Single(_wait.Wait().ToArray()).Token);

        Assert.Equal(1, rings.Begun);
        Assert.Equal(1, rings.Ended);
        Assert.Empty(_unfinished);
    }

    [Fact]
    public void TryDeferSleep_MoreThanTheLeaderLooksAt_RefusesNewOnesAlone()
    {
        var rings = Enumerable.Range(0, ReactorWait.MaxSpinTargets + 1).Select(static _ => new FakeRings()).ToList();
        Assert.Equal(ReactorWait.MaxSpinTargets, rings.Count(_wait.TryDeferSleep));
        Assert.True(_wait.TryDeferSleep(rings[0]));
        Assert.False(_wait.TryDeferSleep(rings[^1]));

        _bell.Ring();
        _wait.Wait();
        Assert.True(_wait.TryDeferSleep(rings[^1]));
    }

    [Fact]
    public void Wait_SomethingComesWhileSpinning_TheTargetHasAnotherTurn()
    {
        var rings = new FakeRings { PeeksUntilNews = 3, HasNews = true };
        _wait.TryDeferSleep(rings);

        // Nothing rings, so it would wait for ever if it did not look.
        Assert.True(_wait.Wait().IsEmpty);

        Assert.Same(rings, Assert.Single(_unfinished));
        Assert.Equal(1, _wait.Trust.Paid);
    }

    [Fact]
    public void Wait_SpinningIsOff_TheTargetIsAskedToRingAllTheSame()
    {
        _wait = new ReactorWait(_life, _unfinished, new AdaptiveWait(TimeSpan.Zero), _owed);
        var rings = new FakeRings { HasNews = true };
        _wait.TryDeferSleep(rings);

        // Bytes that came before the peer could see the request have no doorbell.
        Assert.True(_wait.Wait().IsEmpty);

        Assert.Equal(0, rings.Peeks);
        Assert.Same(rings, Assert.Single(_unfinished));
    }

    [Fact]
    public void Wait_AboutToSleep_PaysWhatIsOwed()
    {
        var wake = Owe();
        _bell.Ring();
        Assert.Single(_wait.Wait().ToArray());
        Assert.Equal(1, wake.Count);
    }

    [Fact]
    public void Wait_SpinningFindsNothing_PaysWhatIsOwed()
    {
        var wake = Owe();
        _wait.TryDeferSleep(new FakeRings());
        _bell.Ring();
        Assert.Single(_wait.Wait().ToArray());
        Assert.Equal(1, wake.Count);
    }

    [Fact]
    public void Wait_AnAnswerComesAtOnce_PaysNothingYet()
    {
        var wake = Owe();
        _wait.TryDeferSleep(new FakeRings { PeeksUntilNews = 3, HasNews = true });
        Assert.True(_wait.Wait().IsEmpty);
        Assert.Equal(0, wake.Count);
    }

    [Fact]
    public void Wait_OthersAreNeverDone_PaysAfterSomeRounds()
    {
        var wake = Owe();
        _unfinished.Enqueue(new FakeTarget());
        for (var rounds = 1; rounds < OwedWakes.MostRounds; rounds++)
        {
            _wait.Wait();
            Assert.Equal(0, wake.Count);
        }

        _wait.Wait();
        Assert.Equal(1, wake.Count);
    }

    [Fact]
    public void Wait_TargetWaitsForNothing_IsNeitherLookedAtNorEnded()
    {
        var rings = new FakeRings { IsWaiting = false };
        _wait.TryDeferSleep(rings);
        _bell.Ring();
        Assert.Single(_wait.Wait().ToArray());
        Assert.Equal((1, 0, 0), (rings.Begun, rings.Peeks, rings.Ended));
    }

    [Fact]
    public void Wait_UnfinishedTargets_DoesNotBlock()
    {
        _unfinished.Enqueue(new FakeTarget());
        Assert.True(_wait.Wait().IsEmpty);
    }

    [Fact]
    public void AddServed_Rings_AreLookedAtOnceAndTheirProgressCounts()
    {
        var rings = new FakeRings();
        _wait.AddServed(rings);
        _wait.AddServed(rings);
        Assert.Equal(2, rings.ProgressTaken);

        // Like calls of a direct connection, so that the leader looks at the rings that were served.
        Assert.True(_wait.TryDeferSleep(rings));
        _bell.Ring();
        _wait.Wait();
        Assert.Equal(1, rings.Begun);
    }

    [Fact]
    public void Wait_RingsAlwaysHaveNews_StillGivesAnEventOfThePoller()
    {
        var rings = new FakeRings { PeeksUntilNews = 0, HasNews = true };
        _bell.Ring();
        for (var waits = 0; waits < 100; waits++)
        {
            Assert.True(_wait.TryDeferSleep(rings));
            if (_wait.Wait() is [var happened, ..])
            {
                Assert.Equal(_token, happened.Token);
                return;
            }

            Assert.Same(rings, Assert.Single(_unfinished));
            _unfinished.Clear();
        }

        Assert.Fail("The poller is never asked.");
    }

    [Fact]
    public void Wait_OthersAreNotDone_AsksForDoorbellsWhereTheyAreDeferred()
    {
        var done = new FakeRings();
        var notDone = new FakeRings();
        Assert.True(_wait.TryDeferSleep(done));
        Assert.True(_wait.TryDeferSleep(notDone));
        _unfinished.Enqueue(notDone);

        _wait.Wait();

        Assert.Equal((1, 1), (done.Begun, done.Ended));
        Assert.Equal(0, notDone.Begun);
        Assert.Same(notDone, Assert.Single(_unfinished));
    }

    [Fact]
    public void Wait_OthersAreNotDoneAndBytesHaveComeMeanwhile_GivesTheDeferredAnotherTurn()
    {
        var done = new FakeRings { HasNews = true };
        var notDone = new FakeRings();
        Assert.True(_wait.TryDeferSleep(done));
        _unfinished.Enqueue(notDone);

        _wait.Wait();

        Assert.Equal([notDone, done], _unfinished);
    }

    [Fact]
    public void Forget_ServedRings_AreNotLookedAtAnyMore()
    {
        var rings = new FakeRings();
        _wait.TryDeferSleep(rings);
        _wait.Forget();
        _bell.Ring();
        Assert.Single(_wait.Wait().ToArray());
        Assert.Equal(0, rings.Begun);
    }

    [Fact]
    public void TakeSpinning_ALookFailed_GivesThoseThatHaveBegun()
    {
        var rings = new FakeRings { PeekFailure = new InvalidDataException() };
        _wait.TryDeferSleep(rings);
        Assert.Throws<InvalidDataException>(() => { _wait.Wait(); });
        Assert.Same(rings, Assert.Single(_wait.TakeSpinning()));
        Assert.Empty(_wait.TakeSpinning());
    }

    [Fact]
    public void ExpectSoon_SpinningIsOn_StillWaitsForTheEvent()
    {
        _wait.ExpectSoon();
        _bell.Ring();
        Assert.Equal(_token, Assert.Single(_wait.Wait().ToArray()).Token);
    }

    private static TimeSpan IdleTime() => TimeSpan.Zero;

    private sealed class FakeRings : IRingTarget
    {
        public bool IsWaiting { get; init; } = true;

        public int PeeksUntilNews { get; init; } = int.MaxValue;

        public bool HasNews { get; init; }

        public Exception? PeekFailure { get; init; }

        public int Begun { get; private set; }

        public int Peeks { get; private set; }

        public int Ended { get; private set; }

        public int ProgressTaken { get; private set; }

        public long TakeProgress()
        {
            ProgressTaken++;
            return 1;
        }

        public bool BeginSpin()
        {
            Begun++;
            return IsWaiting;
        }

        public bool Peek() => PeekFailure is null ? ++Peeks >= PeeksUntilNews : throw PeekFailure;

        public bool EndSpin()
        {
            Ended++;
            return HasNews;
        }

        public void OnReady(Reactor reactor)
        {
        }

        public void OnFault(Exception exception) => throw exception;
    }
}
