namespace GrpcShm.Benchmarks.Raw;

internal static class RawTransports
{
    /// <summary>The transport that round trips are put in relation to.</summary>
    public const string Baseline = "uds";

    // The transport's own rings belong here: one entry for each way of waiting.
    public static IReadOnlyList<IRawTransport> All { get; } =
    [
        new UnixSocketRawTransport(),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(transport => transport.Name)];

    public static IRawTransport Find(string name) => All.Single(transport => transport.Name == name);
}
