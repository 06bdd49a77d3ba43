namespace GrpcShm.Samples.Comparison.Measuring;

/// <summary>The bytes that one more connection takes in both processes together.</summary>
/// <param name="Idle">After one call.</param>
/// <param name="Loaded">After calls with large payloads, many at a time.</param>
internal readonly record struct ChannelMemory(long Idle, long Loaded);
