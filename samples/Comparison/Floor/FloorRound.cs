namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>
/// The speed of the machine at one moment, without gRPC. Round trips are in microseconds, rates in bytes a second.
/// </summary>
internal readonly record struct FloorRound(
    double RingP50,
    double RingP99,
    double RingBytes,
    double SocketP50,
    double SocketP99,
    double SocketBytes,
    double CopyInCache,
    double CopyThroughMemory);
