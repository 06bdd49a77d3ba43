using GrpcShm.AspNetCore.Direct;

namespace GrpcShm.AspNetCore.Tests.Direct;

public sealed class HeartbeatClockTests
{
    [Fact]
    public void Advance_InTime_CountsWhatHasPassed()
    {
        var time = new Time();
        var clock = new HeartbeatClock(time);

        time.Now += 700;
        Assert.Equal(TimeSpan.FromMilliseconds(700), clock.Advance());
        Assert.Equal(TimeSpan.Zero, clock.Advance());
    }

    [Fact]
    public void Advance_AfterTheProcessWasStopped_CountsOneInterval()
    {
        var time = new Time();
        var clock = new HeartbeatClock(time);

        time.Now += 3_600_000;
        Assert.Equal(TimeSpan.FromSeconds(1), clock.Advance());
        time.Now += 1;
        Assert.Equal(TimeSpan.FromMilliseconds(1), clock.Advance());
    }

    [Fact]
    public void Advance_UnderADebugger_CountsNothingOfIt()
    {
        var time = new Time();
        var isDebugged = true;
        var clock = new HeartbeatClock(time) { IsDebugged = () => isDebugged };

        time.Now += 500;
        Assert.Equal(TimeSpan.Zero, clock.Advance());
        isDebugged = false;
        time.Now += 300;
        Assert.Equal(TimeSpan.FromMilliseconds(300), clock.Advance());
    }

    /// <summary>A time that a test sets, in milliseconds.</summary>
    private sealed class Time : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => Now;
    }
}
