using System.Diagnostics;

namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The end of a run: after its time, and not before its number of operations.</summary>
/// <remarks>
/// Each run has at least one operation, since a busy machine may let the whole time of a short run pass before the
/// first one begins.
/// </remarks>
internal readonly record struct RunLimits(TimeSpan Duration, long MinimumOperations = 1)
{
    /// <summary>The timestamp at which the time of a run that starts now is over.</summary>
    public long GetEnd() => Stopwatch.GetTimestamp() + (long)(Duration.TotalSeconds * Stopwatch.Frequency);
}
