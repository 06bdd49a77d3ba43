using System.Diagnostics;
using System.Reflection;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class TurnTests
{
    // A race ends earlier, as soon as each side has won once. Where other programs keep the processors busy, the two
    // threads meet seldom, and the time ends it: such a race shows less, but it shows nothing wrong.
    private const int MostRounds = 5_000;
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(10);

    private Turn _turn;

    [Fact]
    public void New_NothingHasHappened_IsIdleAndASignalGivesItToNobody()
    {
        Assert.True(_turn.IsIdle);
        Assert.False(_turn.TrySignal());
        Assert.True(_turn.IsIdle);
        Assert.False(_turn.IsWaiting);
        Assert.False(_turn.IsSealed);
    }

    [Fact]
    public void TryEnter_Idle_GivesItToOneCaller()
    {
        Assert.True(_turn.TryEnter());
        Assert.False(_turn.IsIdle);
        Assert.False(_turn.TryEnter());
        _turn.Leave();
        Assert.True(_turn.TryEnter());
    }

    [Fact]
    public void TryEnter_Waiting_IsRefused()
    {
        Wait();
        Assert.False(_turn.TryEnter());
        Assert.True(_turn.IsWaiting);
    }

    [Fact]
    public void TryWait_NobodyHasSignalled_Waits()
    {
        _turn.TryEnter();
        Assert.True(_turn.TryWait());
        Assert.True(_turn.IsWaiting);
        Assert.False(_turn.IsIdle);
    }

    [Fact]
    public void TrySignal_Waiting_GivesTheTurnToOneSignaller()
    {
        Wait();
        Assert.True(_turn.TrySignal());
        Assert.False(_turn.IsWaiting);
        Assert.False(_turn.TrySignal());
    }

    [Fact]
    public void TrySignal_Owned_LetsTheOwnerWaitOnlyAfterAnotherLook()
    {
        _turn.TryEnter();
        Assert.False(_turn.TrySignal());
        Assert.False(_turn.TrySignal());
        Assert.False(_turn.TryWait());
        _turn.TakeSignal();
        Assert.True(_turn.TryWait());
    }

    [Fact]
    public void TakeSignal_NobodyHasSignalled_KeepsTheTurn()
    {
        _turn.TryEnter();
        _turn.TakeSignal();
        Assert.False(_turn.TryEnter());
        Assert.True(_turn.TryWait());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Yield_SignalledOrNot_LetsTheNextSignallerHaveTheTurn(bool isSignaled)
    {
        Own(isSignaled);
        _turn.Yield();
        Assert.True(_turn.IsWaiting);
        Assert.True(_turn.TrySignal());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Leave_SignalledOrNot_IsIdleAndForgetsTheSignal(bool isSignaled)
    {
        Own(isSignaled);
        _turn.Leave();
        Assert.True(_turn.IsIdle);
        Assert.True(_turn.TryEnter());
        Assert.True(_turn.TryWait());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Seal_SignalledOrNot_LetsNobodyHaveTheTurn(bool isSignaled)
    {
        Own(isSignaled);
        _turn.Seal();
        AssertSealed();
    }

    [Fact]
    public void TrySeal_Idle_LetsNobodyHaveTheTurn()
    {
        Assert.True(_turn.TrySeal());
        AssertSealed();
    }

    [Fact]
    public void TrySeal_OwnedOrSignalledOrWaiting_IsRefused()
    {
        _turn.TryEnter();
        Assert.False(_turn.TrySeal());
        _turn.TrySignal();
        Assert.False(_turn.TrySeal());
        _turn.TakeSignal();
        _turn.TryWait();
        Assert.False(_turn.TrySeal());
        Assert.True(_turn.IsWaiting);
    }

    [Fact]
    public Task TryWait_AgainstASignal_EitherTheSignallerHasTheTurnOrTheOwnerLooksAgain() =>
        RaceAsync(
            () => Own(isSignaled: false),
            () => _turn.TryWait(),
            () => _turn.TrySignal(),
            (waits, isSignallers) => Assert.Equal(waits, isSignallers));

    [Fact]
    public Task TryEnter_AgainstAnother_OneHasTheTurn() =>
        RaceAsync(
            () => _turn = default,
            () => _turn.TryEnter(),
            () => _turn.TryEnter(),
            (one, other) => Assert.True(one ^ other));

    [Fact]
    public Task TryEnter_AgainstSealing_OneOfThemDoesIt() =>
        RaceAsync(
            () => _turn = default,
            () => _turn.TryEnter(),
            () => _turn.TrySeal(),
            (hasEntered, hasSealed) =>
            {
                Assert.True(hasEntered ^ hasSealed);
                Assert.Equal(hasSealed, _turn.IsSealed);
            });

    [Fact]
    public Task TrySignal_AgainstAnother_OneHasTheTurnAndLooksAgainForTheOther() =>
        RaceAsync(
            Wait,
            () => _turn.TrySignal(),
            () => _turn.TrySignal(),
            (one, other) =>
            {
                Assert.True(one ^ other);
                Assert.False(_turn.TryWait());
            });

    [Fact]
    public Task Yield_AgainstASignal_EitherTheSignallerHasTheTurnOrTheNextOneGetsIt() =>
        RaceAsync(
            () => Own(isSignaled: false),
            () =>
            {
                _turn.Yield();
                return true;
            },
            () => _turn.TrySignal(),
            (_, isSignallers) => Assert.Equal(!isSignallers, _turn.TrySignal()));

    [Fact]
    public Task Leave_AgainstASignal_IsIdleAfterwards() =>
        RaceAsync(
            () => Own(isSignaled: false),
            () =>
            {
                _turn.Leave();
                return true;
            },
            () => _turn.TrySignal(),
            (_, isSignallers) =>
            {
                Assert.False(isSignallers);
                Assert.True(_turn.IsIdle);
            });

    [Fact]
    public Task TakeSignal_AgainstAConditionAndItsSignal_OneOfTheTwoLooksSeesIt()
    {
        var isSet = false;
        return RaceAsync(
            () =>
            {
                isSet = false;
                Own(isSignaled: true);
            },
            () =>
            {
                // Like an owner: it forgets a signal, but must not miss the signal's condition.
                do
                {
                    _turn.TakeSignal();
                    if (Volatile.Read(ref isSet))
                    {
                        return true;
                    }
                }
                while (!_turn.TryWait());

                return false;
            },
            () =>
            {
                Volatile.Write(ref isSet, true);
                return _turn.TrySignal();
            },
            (ownerHasSeenIt, isSignallers) => Assert.Equal(!ownerHasSeenIt, isSignallers));
    }

    /// <summary>
    /// A read-only field is copied for each call that changes it: all of them would find the turn idle.
    /// </summary>
    [Fact]
    public void Fields_OfThisType_AreNotReadOnly()
    {
        var fields = typeof(Turn).Assembly.GetTypes()
            .SelectMany(type => type.GetFields(
                BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic
                    | BindingFlags.DeclaredOnly))
            .Where(field => field.FieldType == typeof(Turn))
            .ToList();
        Assert.NotEmpty(fields);
        Assert.DoesNotContain(fields, field => field.IsInitOnly);
    }

    private void Own(bool isSignaled)
    {
        _turn = default;
        Assert.True(_turn.TryEnter());
        if (isSignaled)
        {
            Assert.False(_turn.TrySignal());
        }
    }

    private void Wait()
    {
        Own(isSignaled: false);
        Assert.True(_turn.TryWait());
    }

    private void AssertSealed()
    {
        Assert.True(_turn.IsSealed);
        Assert.False(_turn.IsIdle);
        Assert.False(_turn.IsWaiting);
        Assert.False(_turn.TryEnter());
        Assert.False(_turn.TrySignal());
        Assert.False(_turn.TrySeal());
    }

    /// <summary>
    /// Does two things at the same moment, until each has been the first, or as often as is reasonable.
    /// </summary>
    private static async Task RaceAsync(Action prepare, Func<bool> one, Func<bool> other, Action<bool, bool> check)
    {
        var isOver = false;
        var otherResult = false;
        var outcomes = new HashSet<(bool One, bool Other)>();
        var begun = Stopwatch.GetTimestamp();
        using var meeting = new Barrier(2);
        void Meet() => Assert.True(
            meeting.SignalAndWait(TimeLimit.Value, TestContext.Current.CancellationToken),
            "The other thread did not come.");

        await TimeLimit.OnThreads(
            () =>
            {
                for (var round = 0;
                    round < MostRounds && outcomes.Count < 2 && Stopwatch.GetElapsedTime(begun) < MostTime;
                    round++)
                {
                    prepare();
                    Meet();
                    Thread.SpinWait(round % 64);
                    var oneResult = one();
                    Meet();
                    check(oneResult, otherResult);
                    outcomes.Add((oneResult, otherResult));
                }

                isOver = true;
                Meet();
            },
            () =>
            {
                Meet();
                while (!isOver)
                {
                    otherResult = other();
                    Meet();
                    Meet();
                }
            });
    }
}
