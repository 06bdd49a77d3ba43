using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Tests.Direct;

/// <summary>The parts of a call: its outcome, its progress, and the count of its users.</summary>
public sealed class ClientCallPartsTests
{
    [Fact]
    public void TrySettle_Twice_FirstWins()
    {
        var outcome = new CallOutcome();
        var failure = new IOException();
        Assert.False(outcome.IsSettled);

        Assert.True(outcome.TrySettle(CallOutcome.Result.Failure, failure));
        Assert.False(outcome.TrySettle(CallOutcome.Result.Response));

        Assert.Equal(CallOutcome.Result.Failure, outcome.Kind);
        Assert.Same(failure, outcome.Failure);
    }

    [Fact]
    public async Task TrySettle_ByManyAtOnce_IsDecidedOnce()
    {
        for (var round = 0; round < 100; round++)
        {
            var outcome = new CallOutcome();
            var settled = await Task.WhenAll(
                Enumerable.Range(0, 4).Select(_ => Task.Run(() => outcome.TrySettle(CallOutcome.Result.Cancellation))));

            Assert.Single(settled, static isFirst => isFirst);
        }
    }

    [Fact]
    public void Reuse_OfAnOutcome_MayBeSettledAnew()
    {
        var outcome = new CallOutcome();
        outcome.TrySettle(CallOutcome.Result.Failure, new IOException());

        outcome.Reuse();

        Assert.False(outcome.IsSettled);
        Assert.Null(outcome.Failure);
        Assert.True(outcome.TrySettle(CallOutcome.Result.Response));
    }

    [Fact]
    public void Begin_NothingWasBefore_LeavesTheRestToBeGivenUp()
    {
        var progress = new CallProgress();

        Assert.Equal(CallProgress.Step.None, progress.Begin());

        Assert.True(progress.CancelOrFindBegun());
        Assert.False(progress.TryFailBeforeBegun());
    }

    [Fact]
    public void Begin_WasCancelledBefore_IsToldSo()
    {
        var progress = new CallProgress();

        Assert.False(progress.CancelOrFindBegun());

        Assert.Equal(CallProgress.Step.CancelledBefore, progress.Begin());
        Assert.False(progress.TryFailBeforeBegun());
    }

    [Fact]
    public void Begin_HasFailedBefore_IsToldSo()
    {
        var progress = new CallProgress();

        Assert.True(progress.TryFailBeforeBegun());

        Assert.Equal(CallProgress.Step.FailedBefore, progress.Begin());
        Assert.False(progress.CancelOrFindBegun());
        progress.Reuse();
        Assert.Equal(CallProgress.Step.None, progress.Begin());
    }

    [Fact]
    public void LetGo_ByAllThree_IsTrueForTheLast()
    {
        var users = new CallUsers();

        Assert.False(users.LetGo());
        Assert.False(users.LetGo());
        Assert.True(users.LetGo());
        users.Reuse();
        Assert.False(users.LetGo());
    }

    [Fact]
    public void LetGo_SomebodyMayUseItStill_IsFalseForTheLast()
    {
        var users = new CallUsers();
        users.LetGo();

        users.KeepFromReuse();
        users.LetGo();

        Assert.False(users.LetGo());
    }
}
