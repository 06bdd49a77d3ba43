using System.Diagnostics;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class AdaptiveWaitTests
{
    private static readonly long Millisecond = Stopwatch.Frequency / 1000;
    private readonly AdaptiveWait _wait = new(TimeSpan.FromMicroseconds(20));
    private long _now = Stopwatch.Frequency;

    [Fact]
    public void Trial_GivesEachStrategyTurns()
    {
        var seen = new HashSet<WaitStrategy>();
        for (var i = 0; i < 200; i++)
        {
            seen.Add(_wait.Strategy);
            Wait(Millisecond, 1000);
        }

        Assert.Equal(3, seen.Count);
    }

    [Theory]
    [InlineData(1000, 2000, 1500, WaitStrategy.Spin)]
    [InlineData(1000, 1500, 2000, WaitStrategy.Coalesce)]
    [InlineData(1000, 500, 900, WaitStrategy.Sleep)]
    [InlineData(1000, 1000, 1000, WaitStrategy.Sleep)]
    [InlineData(1000, 1050, 1050, WaitStrategy.Sleep)]
    [InlineData(0, 0, 0, WaitStrategy.Sleep)]
    public void Trial_KeepsWhatMovesClearlyMoreThanSleeping(int sleep, int spin, int coalesce, object expected)
    {
        Assert.Equal(expected, RunTrial(sleep, spin, coalesce));
    }

    [Fact]
    public void Trial_OneThatIsHopeless_GetsOneTurn()
    {
        var coalesced = 0;
        for (var i = 0; i < 300; i++)
        {
            coalesced += _wait.Strategy == WaitStrategy.Coalesce ? 1 : 0;
            Wait(Millisecond, _wait.Strategy == WaitStrategy.Coalesce ? 10 : 1000);
        }

        Assert.Equal(16, coalesced);
    }

    [Fact]
    public void Trial_OneEndlessPauseOfThePeer_DoesNotDecide()
    {
        Wait(Stopwatch.Frequency * 60, 1000);

        // The pause counts as a wait of two milliseconds, in a trial of hundreds of milliseconds.
        Assert.Equal(WaitStrategy.Spin, RunTrial(sleep: 1000, spin: 2000, coalesce: 1000));
    }

    [Theory]
    [InlineData(WaitStrategy.Spin)]
    [InlineData(WaitStrategy.Coalesce)]
    public void Trial_OneWhoseWaitsAreHeldUp_IsGivenUpAfterTwoOfThem(object heldUp)
    {
        var waits = 0;
        for (var i = 0; i < 300; i++)
        {
            var isHeldUp = _wait.Strategy.Equals(heldUp);
            waits += isHeldUp ? 1 : 0;
            Wait(Millisecond, isHeldUp ? 1_000_000 : 1000, late: isHeldUp ? Millisecond : 0);
        }

        Assert.Equal(2, waits);
    }

    [Fact]
    public void Trial_OneStrategyIsHeldUp_TheOtherStillWins()
    {
        while (_wait.Strategy != WaitStrategy.Spin)
        {
            Wait(Millisecond, 1000);
        }

        Wait(Millisecond, 1000, late: Millisecond);
        Wait(Millisecond, 1000, late: Millisecond);
        Assert.Equal(WaitStrategy.Coalesce, RunTrial(sleep: 1000, spin: 1_000_000, coalesce: 2000));
    }

    [Fact]
    public void Verdict_WhoseWaitsAreHeldUp_BecomesToSleep()
    {
        Assert.Equal(WaitStrategy.Spin, RunTrial(sleep: 1000, spin: 2000, coalesce: 1000));

        Wait(Millisecond, 2000, late: Millisecond);
        Assert.Equal(WaitStrategy.Spin, _wait.Strategy);
        Wait(Millisecond, 2000, late: Millisecond);
        Assert.Equal(WaitStrategy.Sleep, _wait.Strategy);
    }

    [Theory]
    [InlineData(9, WaitStrategy.Spin)]
    [InlineData(8, WaitStrategy.Sleep)]
    public void Verdict_OneOfSoManyWaitsIsHeldUp_StaysOrBecomesToSleep(int waits, object expected)
    {
        RunTrial(sleep: 1000, spin: 2000, coalesce: 1000);
        for (var i = 0; i < 300; i++)
        {
            Wait(Millisecond, 2000, late: i % waits == 0 ? Millisecond : Millisecond / 4);
        }

        Assert.Equal(expected, _wait.Strategy);
    }

    [Fact]
    public void Verdict_NothingIsMeasuredBetweenWaitsThatAreHeldUp_BecomesToSleep()
    {
        RunTrial(sleep: 1000, spin: 2000, coalesce: 1000);
        Wait(Millisecond, 2000, late: Millisecond);
        for (var i = 0; i < 20; i++)
        {
            Wait(Millisecond, 2000, late: null);
        }

        Wait(Millisecond, 2000, late: Millisecond);
        Assert.Equal(WaitStrategy.Sleep, _wait.Strategy);
    }

    [Fact]
    public void Verdict_ThatIsGivenUpAgainAndAgain_IsTriedMoreAndMoreRarely()
    {
        var last = 0L;
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(WaitStrategy.Spin, RunTrial(sleep: 1000, spin: 2000, coalesce: 1000));
            Wait(Millisecond, 2000, late: Millisecond);
            Wait(Millisecond, 2000, late: Millisecond);
            var began = _now;
            while (_wait.Strategy != WaitStrategy.Spin)
            {
                Wait(Millisecond, 1000);
            }

            Assert.True(_now - began > last || last >= 64 * Stopwatch.Frequency, $"{_now - began} after {last}");
            last = _now - began;
        }

        Assert.InRange(last, 64 * Stopwatch.Frequency, 65 * Stopwatch.Frequency);
    }

    [Fact]
    public void Verdict_ThatStaysTheSame_LastsEverLongerUpToALimit()
    {
        var last = 0L;
        for (var i = 0; i < 10; i++)
        {
            RunTrial(sleep: 1000, spin: 500, coalesce: 500);
            var verdict = MeasureVerdict();
            Assert.True(verdict > last || last >= 64 * Stopwatch.Frequency, $"{verdict} after {last}");
            last = verdict;
        }

        Assert.InRange(last, 64 * Stopwatch.Frequency, 65 * Stopwatch.Frequency);
    }

    [Fact]
    public void Verdict_ThatChanges_IsShortAgain()
    {
        for (var i = 0; i < 5; i++)
        {
            RunTrial(sleep: 1000, spin: 500, coalesce: 500);
            MeasureVerdict();
        }

        Assert.Equal(WaitStrategy.Spin, RunTrial(sleep: 1000, spin: 2000, coalesce: 500));
        Assert.InRange(MeasureVerdict(), Stopwatch.Frequency / 2, Stopwatch.Frequency);
    }

    [Fact]
    public void Counters_OnlyCountSpins()
    {
        var spins = 0;
        for (var i = 0; i < 400; i++)
        {
            spins += _wait.Strategy == WaitStrategy.Spin ? 1 : 0;
            Wait(Millisecond, 1000, paid: _wait.Strategy == WaitStrategy.Spin && i % 2 == 0);
        }

        Assert.True(spins > 0);
        Assert.Equal(spins, _wait.Paid + _wait.Unpaid);
    }

    [Fact]
    public void IsEnabled_WithoutASpin_IsNot()
    {
        Assert.False(new AdaptiveWait(TimeSpan.Zero).IsEnabled);
        Assert.True(_wait.IsEnabled);
    }

    /// <summary>Waits of a millisecond with so many bytes each, until the trial is over.</summary>
    private WaitStrategy RunTrial(int sleep, int spin, int coalesce)
    {
        int[] bytes = [sleep, spin, coalesce];

        // A verdict lasts at least half a second, and a turn of the trial 16 of these waits.
        var strategy = _wait.Strategy;
        for (var same = 0; same < 100; same++)
        {
            Wait(Millisecond, bytes[(int)_wait.Strategy]);
            if (_wait.Strategy != strategy)
            {
                strategy = _wait.Strategy;
                same = 0;
            }
        }

        return strategy;
    }

    private long MeasureVerdict()
    {
        var strategy = _wait.Strategy;

        // The trial has been over for a hundred waits; it begins anew with sleeping and then spins.
        var waited = 100 * Millisecond;
        while (_wait.Strategy == strategy)
        {
            Wait(Millisecond, 1000);
            waited += Millisecond;
            Assert.True(waited < 100 * Stopwatch.Frequency, "It never tries again.");
        }

        return waited;
    }

    private void Wait(long ticks, int bytes, bool paid = false, long? late = 0)
    {
        _now += ticks;
        _wait.AddProgress(bytes);
        _wait.Record(_now, paid, late);
    }
}
