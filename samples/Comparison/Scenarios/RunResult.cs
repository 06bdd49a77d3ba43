using GrpcShm.Samples.Comparison.Measuring;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>The result of one run of a scenario.</summary>
/// <param name="Operations">The number of round trips, or of messages of a stream.</param>
/// <param name="Elapsed">The time of all of them together.</param>
/// <param name="Latencies">The latency of each; null for streams in one direction.</param>
/// <param name="Uncorrected">The latencies of a load at a fixed rate from the send of each call. Those in <paramref
/// name="Latencies"/> begin when the call was due.</param>
internal readonly record struct RunResult(
    long Operations, TimeSpan Elapsed, LatencyHistogram? Latencies, LatencyHistogram? Uncorrected = null);
