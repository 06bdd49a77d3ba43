using System.Diagnostics;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>When a run ends: after its time, and not before its operations.</summary>
internal readonly record struct RunLimits(TimeSpan Duration, long MinimumOperations = 0)
{
    /// <summary>The timestamp at which a run that starts now has had its time.</summary>
    public long GetEnd() => Stopwatch.GetTimestamp() + (long)(Duration.TotalSeconds * Stopwatch.Frequency);
}
