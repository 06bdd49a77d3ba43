using System.Diagnostics;

namespace Samples.PingPong;

/// <summary>The resources that a process has used so far.</summary>
internal sealed record ProcessUsage(
    double CpuMilliseconds, double RssMegabytes, long? DoorbellsRung, long? DoorbellsSaved)
{
    public static ProcessUsage OfThisProcess(DoorbellCounter doorbells)
    {
        using var process = Process.GetCurrentProcess();
        var (rung, saved) = doorbells.Read();
        return new ProcessUsage(
            process.TotalProcessorTime.TotalMilliseconds,
            Math.Round(process.WorkingSet64 / (1024.0 * 1024.0), 1),
            rung,
            saved);
    }

    public double CpuPercentSince(ProcessUsage before, TimeSpan elapsed) =>
        Math.Round((CpuMilliseconds - before.CpuMilliseconds) / elapsed.TotalMilliseconds * 100, 1);
}
