namespace GrpcShm.Benchmarks.Raw;

/// <summary>
/// One turn of a transport, and the machine's floor of the same round. Round trips are in microseconds.
/// </summary>
internal readonly record struct RawRound(
    double P50, double P99, double BytesPerSecond, double MemoryCopy, double BaselineP50);
