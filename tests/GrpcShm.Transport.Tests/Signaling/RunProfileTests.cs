using System.Diagnostics;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class RunProfileTests
{
    private static readonly long Short = Stopwatch.Frequency / 1_000_000 * 5;
    private static readonly long Long = Stopwatch.Frequency / 1_000;

    [Fact]
    public void MayRunInline_FirstRunsAreLong_StaysSinceTheyDoNotCount()
    {
        var profile = new RunProfile(RunMode.Adaptive);
        Record(profile, Long, 32);
        Assert.True(profile.MayRunInline);
    }

    [Fact]
    public void MayRunInline_RunsAreLong_GoesAndComesBackWithShortOnes()
    {
        var profile = new RunProfile(RunMode.Adaptive);
        Record(profile, Long, 100);
        Assert.False(profile.MayRunInline);
        Record(profile, Short, 200);
        Assert.True(profile.MayRunInline);
    }

    [Fact]
    public void MayRunInline_OneRunInManyIsVeryLong_Stays()
    {
        var profile = new RunProfile(RunMode.Adaptive);
        for (var i = 0; i < 1000; i++)
        {
            Record(profile, i % 10 == 0 ? Stopwatch.Frequency : Short, 1);
            Assert.True(profile.MayRunInline);
        }
    }

    [Fact]
    public void Penalize_AgainAndAgain_KeepsItAwayTwiceAsLongEachTime()
    {
        var profile = new RunProfile(RunMode.Adaptive);
        Record(profile, Short, 100);
        foreach (var penalty in new[] { 256, 512, 1024 })
        {
            profile.Penalize();
            Record(profile, Short, penalty - 1);
            Assert.False(profile.MayRunInline);
            Record(profile, Short, 1);
            Assert.True(profile.MayRunInline);
        }
    }

    [Fact]
    public void Penalize_LongAgo_KeepsItAwayForLess()
    {
        var profile = new RunProfile(RunMode.Adaptive);
        Record(profile, Short, 100);
        foreach (var penalty in new[] { 256, 512, 1024 })
        {
            profile.Penalize();
            Record(profile, Short, penalty);
        }

        // As many runs as each of the penalties that would have come next.
        Record(profile, Short, 2048 + 1024 + 512);
        profile.Penalize();
        Record(profile, Short, 255);
        Assert.False(profile.MayRunInline);
        Record(profile, Short, 1);
        Assert.True(profile.MayRunInline);
    }

    [Theory]
    [InlineData((int)RunMode.Inline, true)]
    [InlineData((int)RunMode.Adaptive, false)]
    public void RunsNow_TakesAFewHops_OnlyWithNothingQueuedBehind(int mode, bool runsWithOthersBehind)
    {
        var profile = new RunProfile((RunMode)mode);
        Record(profile, Stopwatch.Frequency / 10_000, 1000);
        Assert.True(profile.MayRunInline);
        Assert.True(profile.RunsNow(isLast: true, isLate: false));
        Assert.Equal(runsWithOthersBehind, profile.RunsNow(isLast: false, isLate: false));
    }

    [Theory]
    [InlineData((int)RunMode.Inline, true)]
    [InlineData((int)RunMode.Adaptive, false)]
    public void RunsNow_HasWaitedWhileThreadsWereIdle_GoesToOneOfThem(int mode, bool runs)
    {
        var profile = new RunProfile((RunMode)mode);
        Record(profile, Short, 1000);
        Assert.Equal(runs, profile.RunsNow(isLast: false, isLate: true));
        Assert.True(profile.RunsNow(isLast: false, isLate: false));
    }

    [Fact]
    public async Task Record_ByManyThreadsDuringAPenalty_ComesBack()
    {
        for (var i = 0; i < 50; i++)
        {
            var profile = new RunProfile(RunMode.Adaptive);
            profile.Penalize();
            await TimeLimit.OnThreads([.. Enumerable.Repeat(() => Record(profile, Short, 100_000), 2)]);
            Assert.True(profile.MayRunInline);
        }
    }

    [Theory]
    [InlineData((int)RunMode.Inline, true)]
    [InlineData((int)RunMode.ThreadPool, false)]
    public void MayRunInline_ForcedMode_IsTheModes(int mode, bool runsInline)
    {
        var profile = new RunProfile((RunMode)mode);
        profile.Penalize();
        Record(profile, runsInline ? Long : Short, 1000);
        Assert.Equal(runsInline, profile.MayRunInline);
    }

    private static void Record(RunProfile profile, long ticks, int times)
    {
        for (var i = 0; i < times; i++)
        {
            profile.Record(ticks);
        }
    }
}
