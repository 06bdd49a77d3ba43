using Samples.Stress;

namespace GrpcShm.Samples.Tests.Stress;

public class DurationsTests
{
    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("2.5s", 2.5)]
    [InlineData("5m", 300)]
    [InlineData("24h", 86_400)]
    [InlineData("7", 7)]
    public void TryParse_Time_Succeeds(string text, double seconds)
    {
        Assert.True(Durations.TryParse(text, out var duration));
        Assert.Equal(seconds, duration.TotalSeconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("1d")]
    [InlineData("1e9h")]
    [InlineData("99999999h")]
    public void TryParse_NoTime_Fails(string text) => Assert.False(Durations.TryParse(text, out _));
}
