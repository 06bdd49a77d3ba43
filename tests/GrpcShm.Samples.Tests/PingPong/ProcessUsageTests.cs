using System.Diagnostics;
using Samples.PingPong;

namespace GrpcShm.Samples.Tests.PingPong;

public class ProcessUsageTests
{
    [Fact]
    public void CpuPercentSince_AnswerThatCameLate_CountsByTheClockOfTheProcess()
    {
        var before = new ProcessUsage(1_000, CpuMilliseconds: 100, RssMegabytes: 1, null, null);
        var after = before with { Timestamp = 1_000 + (2 * Stopwatch.Frequency), CpuMilliseconds = 600 };

        Assert.Equal(25, after.CpuPercentSince(before));
    }
}
