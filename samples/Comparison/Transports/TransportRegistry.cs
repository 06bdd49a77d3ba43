using GrpcShm.Transport;

namespace GrpcShm.Samples.Comparison.Transports;

internal static class TransportRegistry
{
    /// <summary>The transport with which the others are compared.</summary>
    public const string Baseline = "uds";

    public static IReadOnlyList<ITransport> All { get; } =
    [
        new XStateNetPipeTransport(),
        new NamedPipeTransport(),
        new UnixSocketTransport(),
        new TcpTransport(),
        new SharedMemoryTransport(SharedMemoryMode.Http2),
        new SharedMemoryTransport(SharedMemoryMode.Direct),
        new SharedMemoryTransport(SharedMemoryMode.Direct, isNative: true),
        new InProcessTransport(),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(transport => transport.Name)];

    public static ITransport Find(string name) => All.Single(transport => transport.Name == name);
}
