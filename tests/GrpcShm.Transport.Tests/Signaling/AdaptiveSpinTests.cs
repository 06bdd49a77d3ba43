using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class AdaptiveSpinTests
{
    private const int Trial = 16 * 16;
    private const int LongestVerdict = 1 << 16;
    private readonly AdaptiveSpin _spin = new(TimeSpan.FromMicroseconds(20));
    private long _now;

    private long Short => _spin.BudgetTicks / 4;

    private long Long => _spin.BudgetTicks * 4;

    [Fact]
    public void Trial_AlternatesBetweenSpinningAndSleeping()
    {
        var spins = 0;
        for (var i = 0; i < Trial; i++)
        {
            spins += _spin.ShouldSpin() ? 1 : 0;
            Wait(Short, 100, paid: _spin.ShouldSpin());
        }

        Assert.Equal(Trial / 2, spins);
    }

    [Fact]
    public void Trial_SpinningMovesMoreBytesInTheTime_Spins()
    {
        RunTrial(spinning: (Short, 100), sleeping: (Long, 100));
        Assert.True(_spin.ShouldSpin());
    }

    [Fact]
    public void Trial_SpinningTakesAStreamApart_Sleeps()
    {
        // A quarter of the wait, but a tenth of the batch.
        RunTrial(spinning: (Short, 100), sleeping: (Long / 4, 1000));
        Assert.False(_spin.ShouldSpin());
    }

    [Fact]
    public void Trial_ADraw_Sleeps()
    {
        RunTrial(spinning: (Long, 100), sleeping: (Long, 100));
        Assert.False(_spin.ShouldSpin());
    }

    [Fact]
    public void Trial_OneEndlessPauseOfThePeer_DoesNotDecide()
    {
        Wait(TimeSpan.FromMinutes(1).Ticks * 100, 100, paid: false);
        RunTrial(spinning: (Short, 100), sleeping: (Long, 100), waits: Trial - 1);
        Assert.True(_spin.ShouldSpin());
    }

    [Fact]
    public void Verdict_AgainstSpinning_LastsEverLongerUpToALimit()
    {
        var last = 0;
        for (var i = 0; i < 12; i++)
        {
            RunTrial(spinning: (Long, 100), sleeping: (Long, 100));
            var verdict = CountVerdict();
            Assert.True(verdict > last || (verdict == last && verdict == LongestVerdict), $"{verdict} after {last}");
            last = verdict;
        }

        Assert.Equal(LongestVerdict, last);
    }

    [Fact]
    public void Verdict_ForSpinning_IsTriedAgainSoon()
    {
        for (var i = 0; i < 12; i++)
        {
            RunTrial(spinning: (Long, 100), sleeping: (Long, 100));
            CountVerdict();
        }

        RunTrial(spinning: (Short, 100), sleeping: (Long, 100));
        Assert.True(_spin.ShouldSpin());
        var verdict = 0;
        while (_spin.ShouldSpin() && verdict <= LongestVerdict)
        {
            Wait(Short, 100, paid: true);
            verdict++;
        }

        // The next trial begins with a turn that spins, too.
        Assert.InRange(verdict, 1, 4096);
    }

    [Fact]
    public void Counters_OnlyCountSpins()
    {
        RunTrial(spinning: (Short, 100), sleeping: (Long, 100));
        Assert.Equal(Trial / 2, _spin.Paid);
        Assert.Equal(0, _spin.Unpaid);
    }

    [Fact]
    public void IsEnabled_WithoutABudget_IsNot()
    {
        Assert.False(new AdaptiveSpin(TimeSpan.Zero).IsEnabled);
        Assert.True(_spin.IsEnabled);
    }

    private void RunTrial((long Ticks, int Bytes) spinning, (long Ticks, int Bytes) sleeping, int waits = Trial)
    {
        for (var i = 0; i < waits; i++)
        {
            var (ticks, bytes) = _spin.ShouldSpin() ? spinning : sleeping;
            Wait(ticks, bytes, paid: _spin.ShouldSpin());
        }
    }

    private void Wait(long ticks, int bytes, bool paid)
    {
        _now += ticks;
        _spin.AddProgress(bytes);
        _spin.Record(_now, paid);
    }

    private int CountVerdict()
    {
        var waits = 0;
        while (!_spin.ShouldSpin())
        {
            Wait(Long, 100, paid: false);
            Assert.True(++waits <= LongestVerdict, "It never tries again.");
        }

        return waits;
    }
}
