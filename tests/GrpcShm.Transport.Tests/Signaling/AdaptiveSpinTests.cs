using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class AdaptiveSpinTests
{
    private const int Trial = 32;
    private readonly AdaptiveSpin _spin = new(TimeSpan.FromMicroseconds(20));

    private long Short => _spin.BudgetTicks / 4;

    private long Long => _spin.BudgetTicks * 4;

    [Fact]
    public void Trial_SpinningShortensTheWaits_GoesOn()
    {
        Record(Trial, Short, paid: true);
        Assert.False(_spin.ShouldSpin());
        Record(Trial, Long, paid: false);
        Assert.True(_spin.ShouldSpin());
        for (var i = 0; i < 100; i++)
        {
            Record(Trial, Short, paid: true);
            Assert.True(_spin.ShouldSpin());
        }
    }

    [Fact]
    public void Trial_SleepingIsNoSlower_Pauses()
    {
        Record(Trial, Long, paid: true);
        Record(Trial, Long, paid: false);
        Assert.False(_spin.ShouldSpin());
        Assert.True(CountPause() > Trial);
    }

    [Fact]
    public void Trial_FindsNothing_PausesEverLongerUpToALimit()
    {
        var last = 0;
        for (var i = 0; i < 12; i++)
        {
            Assert.True(_spin.ShouldSpin());
            Record(Trial, Long, paid: false);
            Assert.False(_spin.ShouldSpin());
            var pause = CountPause();
            Assert.True(pause > last || (pause == last && pause == 1 << 16), $"{pause} after {last}");
            last = pause;
        }

        Assert.Equal(1 << 16, last);
    }

    [Fact]
    public void Spinning_NoLongerPays_Pauses()
    {
        Record(Trial, Short, paid: true);
        Record(Trial, Long, paid: false);
        Assert.True(_spin.ShouldSpin());
        Record(Trial, Long, paid: false);
        Assert.False(_spin.ShouldSpin());
    }

    [Fact]
    public void Spinning_HasWonOnce_MakesTheNextPauseShortAgain()
    {
        Record(Trial, Long, paid: false);
        var first = CountPause();
        Record(Trial, Long, paid: false);
        Assert.True(CountPause() > first);
        Record(Trial, Short, paid: true);
        Record(Trial, Long, paid: false);
        Record(Trial, Long, paid: false);
        Assert.Equal(first, CountPause());
    }

    [Fact]
    public void Record_OneEndlessWait_DoesNotDecideTheTrialAlone()
    {
        // 31 waits while spinning are four times as long as without; one without took a minute.
        Record(Trial, Long, paid: true);
        Record(Trial - 1, Short, paid: false);
        Record(1, TimeSpan.FromMinutes(1).Ticks * 100, paid: false);
        Assert.False(_spin.ShouldSpin());
    }

    [Fact]
    public void Counters_OnlyCountSpins()
    {
        Record(Trial - 2, Short, paid: true);
        Record(2, Long, paid: false);
        Record(Trial, Short, paid: false);
        Assert.Equal(Trial - 2, _spin.Paid);
        Assert.Equal(2, _spin.Unpaid);
    }

    [Fact]
    public void IsEnabled_WithoutABudget_IsNot()
    {
        Assert.False(new AdaptiveSpin(TimeSpan.Zero).IsEnabled);
        Assert.True(_spin.IsEnabled);
    }

    private void Record(int times, long ticks, bool paid)
    {
        for (var i = 0; i < times; i++)
        {
            _spin.Record(ticks, paid);
        }
    }

    private int CountPause()
    {
        var waits = 0;
        while (!_spin.ShouldSpin())
        {
            _spin.Record(Long, paid: false);
            Assert.True(++waits <= 1 << 16, "It never tries again.");
        }

        return waits;
    }
}
