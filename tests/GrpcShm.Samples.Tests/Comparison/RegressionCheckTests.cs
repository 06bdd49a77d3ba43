using GrpcShm.Samples.Comparison.Regression;
using GrpcShm.Samples.Comparison.Reporting;

namespace GrpcShm.Samples.Tests.Comparison;

public class RegressionCheckTests
{
    private static readonly DateTimeOffset Day = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Compare_WithItself_FindsNothing()
    {
        JsonMeasurement[] run =
            [Latency("uds", 100), Latency("shm-http2", 50, ratio: 0.5), Rate("shm-http2", 1000, ratio: 2)];

        var check = new RegressionCheck(run, run);

        Assert.Equal(3, check.Rows.Count);
        Assert.All(check.Rows, row => Assert.Equal(Change.None, row.Change));
        Assert.False(check.HasRegression);
        Assert.Empty(check.Doubts);
    }

    [Fact]
    public void Compare_LatencyAndRatioAreWorse_IsSlower() => Assert.Equal(
        Change.Slower, CompareOne(Latency("shm-http2", 50, ratio: 0.5), Latency("shm-http2", 75, ratio: 0.75)));

    [Fact]
    public void Compare_RateAndRatioAreWorse_IsSlower() => Assert.Equal(
        Change.Slower, CompareOne(Rate("shm-http2", 1000, ratio: 2), Rate("shm-http2", 700, ratio: 1.4)));

    [Fact]
    public void Compare_RateAndRatioAreBetter_IsFaster() => Assert.Equal(
        Change.Faster, CompareOne(Rate("shm-http2", 1000, ratio: 2), Rate("shm-http2", 2000, ratio: 4)));

    [Fact]
    public void Compare_TheUnixSocketIsSlowerToo_IsNotItsFault() => Assert.Equal(
        Change.SlowerAsAll, CompareOne(Latency("shm-http2", 50, ratio: 0.5), Latency("shm-http2", 100, ratio: 0.5)));

    [Fact]
    public void Compare_RatioIsWorseBecauseTheUnixSocketGotFaster_IsNothing() => Assert.Equal(
        Change.None, CompareOne(Latency("shm-http2", 50, ratio: 0.5), Latency("shm-http2", 50, ratio: 0.9)));

    [Fact]
    public void Compare_RoundsLieAmongEachOther_IsNothing() => Assert.Equal(
        Change.None,
        CompareOne(
            Latency("shm-http2", 50, ratio: 0.5, spread: 0.4),
            Latency("shm-http2", 65, ratio: 0.65, spread: 0.4)));

    [Fact]
    public void Compare_OneRoundEach_NeedsALargeDifference()
    {
        var old = Latency("shm-http2", 50, ratio: 0.5, spread: 0) with { Rounds = 1 };

        Assert.Equal(
            Change.None, CompareOne(old, Latency("shm-http2", 75, ratio: 0.75, spread: 0) with { Rounds = 1 }));
        Assert.Equal(
            Change.Slower, CompareOne(old, Latency("shm-http2", 150, ratio: 1.5, spread: 0) with { Rounds = 1 }));
    }

    [Fact]
    public void Compare_NoUnixSocket_GoesByTheClock() => Assert.Equal(
        Change.Slower, CompareOne(Latency("shm-http2", 50), Latency("shm-http2", 80)));

    [Theory]
    [InlineData("uds")]
    [InlineData("floor")]
    public void Compare_WhatOthersAreHeldAgainst_IsNoRegression(string transport)
    {
        var check = new RegressionCheck([Latency(transport, 50)], [Latency(transport, 100)]);

        Assert.Equal(Change.SlowerAsAll, Assert.Single(check.Rows).Change);
        Assert.False(check.HasRegression);
    }

    [Fact]
    public void Compare_AllocatesMore_IsSaid()
    {
        var old = Latency("shm-http2", 50, ratio: 0.5) with { AllocatedBytesPerOp = 8000 };
        var check = new RegressionCheck([old], [old with { AllocatedBytesPerOp = 10_000 }]);

        Assert.True(Assert.Single(check.Rows).AllocatesMore);
        Assert.False(new RegressionCheck([old], [old with { AllocatedBytesPerOp = 8050 }]).Rows[0].AllocatesMore);
    }

    [Fact]
    public void Compare_OtherMachineNoisyRunAndOtherRows_AreSaid()
    {
        var check = new RegressionCheck(
            [Latency("shm-http2", 50), Latency("tcp", 50)],
            [Latency("shm-http2", 50) with { Processors = 64, RunTooNoisy = true }, Latency("namedpipe", 50)]);

        Assert.Equal(2, check.Doubts.Count);
        Assert.Equal("latency over tcp", Assert.Single(check.OnlyOld));
        Assert.Equal("latency over namedpipe", Assert.Single(check.OnlyNew));
    }

    private static Change CompareOne(JsonMeasurement old, JsonMeasurement now) =>
        Assert.Single(new RegressionCheck([old], [now]).Rows).Change;

    private static JsonMeasurement Latency(string transport, double p50, double? ratio = null, double spread = 0.1) =>
        Create(transport, "latency", "p50_us", p50, ratio, spread) with { P50Us = p50 };

    private static JsonMeasurement Rate(string transport, double rate, double? ratio = null, double spread = 0.1) =>
        Create(transport, "rate", "rate_per_s", rate, ratio, spread) with { RatePerS = rate };

    private static JsonMeasurement Create(
        string transport, string scenario, string figureName, double figure, double? ratio, double spread) => new()
    {
        Transport = transport,
        Scenario = scenario,
        PayloadBytes = 64,
        InFlight = 1,
        Connections = 1,
        RatioOf = figureName,
        RatioToUds = ratio,
        RatioToUdsMin = ratio * (1 - (spread / 2)),
        RatioToUdsMax = ratio * (1 + (spread / 2)),
        FigureMin = figure * (1 - (spread / 2)),
        FigureMax = figure * (1 + (spread / 2)),
        Spread = spread,
        Noisy = false,
        RunTooNoisy = false,
        Rounds = 5,
        Processors = 2,
        Kernel = "Linux",
        Runtime = ".NET",
        MeasuredAt = Day,
    };
}
