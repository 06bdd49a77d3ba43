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

    /// <summary>
    /// True if a stream that has carried so many messages goes on. A look at the clock takes a tenth of the time of a
    /// message, so the clock is looked at for one message in 32.
    /// </summary>
    /// <param name="messages">How many messages the stream has carried.</param>
    /// <param name="end">What <see cref="GetEnd"/> has returned.</param>
    public bool GoesOn(long messages, long end) =>
        messages % 32 != 0 || messages < MinimumOperations || Stopwatch.GetTimestamp() < end;
}
