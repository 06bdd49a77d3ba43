using System.Diagnostics;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The end of a run: after its time, and not before its number of operations.</summary>
internal readonly record struct RunLimits(TimeSpan Duration, long MinimumOperations = 0)
{
    /// <summary>The timestamp at which the time of a run that starts now is over.</summary>
    public long GetEnd() => Stopwatch.GetTimestamp() + (long)(Duration.TotalSeconds * Stopwatch.Frequency);
}
