using System.Diagnostics;

namespace Samples.PingPong;

/// <summary>The resources that a process has used so far.</summary>
/// <param name="Timestamp">
/// The time of the reading, by this process's own <see cref="Stopwatch"/>. An answer to another process takes time, so
/// the other process's clock would not fit the figures.
/// </param>
/// <param name="CpuMilliseconds">Processor time.</param>
/// <param name="RssMegabytes">Resident memory.</param>
/// <param name="DoorbellsRung">Doorbells rung; null if the transport has none.</param>
/// <param name="DoorbellsSaved">Doorbells that were not necessary; null if the transport has none.</param>
internal sealed record ProcessUsage(
    long Timestamp, double CpuMilliseconds, double RssMegabytes, long? DoorbellsRung, long? DoorbellsSaved)
{
    public static ProcessUsage OfThisProcess(DoorbellCounter doorbells)
    {
        using var process = Process.GetCurrentProcess();
        var (rung, saved) = doorbells.Read();
        return new ProcessUsage(
            Stopwatch.GetTimestamp(),
            process.TotalProcessorTime.TotalMilliseconds,
            Math.Round(process.WorkingSet64 / (1024.0 * 1024.0), 1),
            rung,
            saved);
    }

    /// <summary>The processor time since an earlier reading of the same process; 100 is one core.</summary>
    public double CpuPercentSince(ProcessUsage before)
    {
        var elapsed = Stopwatch.GetElapsedTime(before.Timestamp, Timestamp);
        return Math.Round((CpuMilliseconds - before.CpuMilliseconds) / elapsed.TotalMilliseconds * 100, 1);
    }
}
