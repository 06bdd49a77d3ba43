using GrpcShm.Samples.Comparison.Floor;

namespace GrpcShm.Benchmarks.Raw;

internal static class RawTransports
{
    /// <summary>The transport with which round trips are compared.</summary>
    public const string Baseline = "uds";

    public static IReadOnlyList<IRawTransport> All { get; } =
    [
        new UnixSocketRawTransport(),
        new MappedRingRawTransport(),
        new SpinningRingRawTransport(),
        new DoorbellRingRawTransport(),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(transport => transport.Name)];

    public static IRawTransport Find(string name) => All.Single(transport => transport.Name == name);
}
