namespace GrpcShm.Samples.Comparison.Peers;

/// <summary>The events that came to a machine of the peer process.</summary>
/// <param name="Failure">What went wrong; none if all went well.</param>
/// <param name="Latencies">For a machine that measures: the time from when each event was due to when it came, in
/// ticks of <see cref="System.Diagnostics.Stopwatch"/>, whose clock is the same in all processes.</param>
internal sealed record PeerArrivals(string? Failure, long[] Latencies);
