using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>A leadership without a loop. Each test's thread plays all parts.</summary>
public sealed class ReactorLeadershipTests
{
    private readonly Reactor _reactor = IdleReactor.Create();
    private readonly ReactorLeadership _leadership;

    public ReactorLeadershipTests()
    {
        _leadership = new ReactorLeadership(_reactor, new OwedWakes());
        _leadership.WatchBy(new Sentinel([]));
    }

    [Fact]
    public Task Begin_ThisThread_LeadsTheReactor() => LeaderThread.RunAsync(() =>
    {
        var watch = new FakeThreadWatch(isKept: false);

        _leadership.Begin(watch);

        Assert.Same(_reactor, ReactorLeadership.Running);
        Assert.Same(watch, _leadership.Leader);
        Assert.False(ReactorLeadership.IsAway(_leadership.Word));
    });

    [Fact]
    public Task TryComeBack_NobodyTookOver_LeadsAgain() => LeaderThread.RunAsync(() =>
    {
        _leadership.Begin(UnknownThreadWatch.Instance);

        var away = _leadership.Leave(new RunProfile(RunMode.Inline));
        Assert.True(ReactorLeadership.IsAway(_leadership.Word));
        Assert.Equal(away, _leadership.Word);
        Assert.Null(ReactorLeadership.Running);

        Assert.True(_leadership.TryComeBack(away));
        Assert.False(ReactorLeadership.IsAway(_leadership.Word));
        Assert.Same(_reactor, ReactorLeadership.Running);
    });

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task TryTakeOver_LeaderIsAway_ItsWorkIsPenalizedIfItIsToBlame(bool isItsFault) => LeaderThread.RunAsync(() =>
    {
        var profile = new RunProfile(RunMode.Adaptive);
        _leadership.Begin(UnknownThreadWatch.Instance);
        var away = _leadership.Leave(profile);

        Assert.True(_leadership.TryTakeOver(away, isItsFault));

        Assert.Equal(!isItsFault, profile.MayRunInline);
        Assert.False(ReactorLeadership.IsAway(_leadership.Word));
        Assert.False(_leadership.TryComeBack(away));
        Assert.Null(ReactorLeadership.Running);
    });

    [Fact]
    public Task TryTakeOver_LeaderHasComeBack_FailsAndNobodyIsPenalized() => LeaderThread.RunAsync(() =>
    {
        var profile = new RunProfile(RunMode.Adaptive);
        _leadership.Begin(UnknownThreadWatch.Instance);
        var away = _leadership.Leave(profile);
        Assert.True(_leadership.TryComeBack(away));

        Assert.False(_leadership.TryTakeOver(away, isItsFault: true));

        // Nor does it succeed with the number of an absence that is over, while the leader is away once more.
        var next = _leadership.Leave(profile);
        Assert.False(_leadership.TryTakeOver(away, isItsFault: true));
        Assert.True(profile.MayRunInline);
        Assert.True(_leadership.TryComeBack(next));
    });

    [Fact]
    public Task MayLeave_AsManyAreHeldUpAsMayBe_NotUntilOneIsBack() => LeaderThread.RunAsync(() =>
    {
        var absences = new Stack<long>();
        for (var i = 0; i < ReactorLeadership.MaxOvertaken; i++)
        {
            Assert.True(_leadership.MayLeave);
            _leadership.Begin(UnknownThreadWatch.Instance);
            absences.Push(_leadership.Leave(new RunProfile(RunMode.Inline)));
            Assert.True(_leadership.TryTakeOver(absences.Peek(), isItsFault: false));
        }

        Assert.False(_leadership.MayLeave);
        Assert.False(_leadership.TryComeBack(absences.Pop()));
        Assert.True(_leadership.MayLeave);
    });

    [Fact]
    public void MayLeave_NobodyWatches_No() => Assert.False(new ReactorLeadership(_reactor, new OwedWakes()).MayLeave);

    [Fact]
    public void BeginWatch_ThenEndWatch_TheSentinelHasAThreadMeanwhile()
    {
        var sentinel = new Sentinel([]);
        var leadership = new ReactorLeadership(_reactor, new OwedWakes());
        leadership.WatchBy(sentinel);

        leadership.BeginWatch();
        Assert.True(sentinel.HasThread);

        leadership.EndWatch();
        Assert.True(SpinWait.SpinUntil(() => !sentinel.HasThread, TimeLimit.Value), "The sentinel goes on.");
    }
}
