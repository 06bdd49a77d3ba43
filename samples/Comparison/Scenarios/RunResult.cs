using GrpcShm.Samples.Comparison.Measuring;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>What one run of a scenario did.</summary>
/// <param name="Operations">How many round trips, or messages of a stream.</param>
/// <param name="Elapsed">How long they took together.</param>
/// <param name="Latencies">Of each; none for streams in one direction.</param>
/// <param name="Uncorrected">
/// Of a load at a fixed rate, from the send of each, where <paramref name="Latencies"/> counts from when it was due.
/// </param>
internal readonly record struct RunResult(
    long Operations, TimeSpan Elapsed, LatencyHistogram? Latencies, LatencyHistogram? Uncorrected = null);
