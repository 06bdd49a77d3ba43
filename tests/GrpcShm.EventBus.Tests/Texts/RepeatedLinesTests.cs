namespace GrpcShm.EventBus.Tests.Texts;

/// <summary>Lines that a peer causes again and again.</summary>
public sealed class RepeatedLinesTests
{
    [Fact]
    public void Next_ManyInOneWindow_WritesTheFirstAndCountsTheRest()
    {
        var lines = new RepeatedLines(most: 3, new HandClock());

        var written = Enumerable.Range(0, 10_000).Count(_ => lines.Next(out var leftOut) && leftOut == 0);

        Assert.Equal(3, written);
        Assert.Equal(9_997, lines.TakeRest());
        Assert.Equal(0, lines.TakeRest());
    }

    [Fact]
    public void Next_WindowIsOver_SaysHowManyWereLeftOut()
    {
        var clock = new HandClock();
        var lines = new RepeatedLines(most: 2, clock);
        for (var i = 0; i < 7; i++)
        {
            lines.Next(out _);
        }

        clock.Advance(RepeatedLines.Window);

        Assert.True(lines.Next(out var leftOut));
        Assert.Equal(5, leftOut);
        Assert.True(lines.Next(out leftOut));
        Assert.Equal(0, leftOut);
        Assert.False(lines.Next(out _));
    }

    [Fact]
    public void Next_ManyThreads_CountsEachOnce()
    {
        const int each = 5_000;
        var lines = new RepeatedLines(most: 4, new HandClock());
        var written = 0;

        Parallel.For(0, 4, _ =>
        {
            for (var i = 0; i < each; i++)
            {
                if (lines.Next(out var _))
                {
                    Interlocked.Increment(ref written);
                }
            }
        });

        Assert.Equal(4, written);
        Assert.Equal((4 * each) - 4, lines.TakeRest());
    }

    private sealed class HandClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Volatile.Read(ref _now);

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }
}
