using GrpcShm.Samples.Comparison.Measuring;

namespace GrpcShm.Samples.Comparison.Scenarios;

/// <summary>What one run of a scenario did. Streams in one direction have no latencies.</summary>
internal readonly record struct RunResult(long Operations, TimeSpan Elapsed, LatencyHistogram? Latencies);
