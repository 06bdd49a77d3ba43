using GrpcShm.TestHost.Calling;

namespace GrpcShm.TestHost.Serving;

/// <summary>The options of <c>serve</c>.</summary>
internal sealed record ServerSetup
{
    public required IReadOnlyList<EndpointAddress> Listen { get; init; }

    public required IReadOnlyList<EndpointAddress> ListenHttp1 { get; init; }

    public required string? Urls { get; init; }

    public required bool Tls { get; init; }

    public required DispatchChoice NativeDispatch { get; init; }

    public required string? RuntimeDirectory { get; init; }

    public required LogLevel LogLevel { get; init; }

    public required TimeSpan? KeepAlivePingDelay { get; init; }

    public required TimeSpan? KeepAlivePingTimeout { get; init; }

    public required bool WatchPings { get; init; }

    public required int? MaxReceiveMessageSize { get; init; }

    public required int? MaxSendMessageSize { get; init; }

    public required int? MaxStreamsPerConnection { get; init; }

    public required int? ConnectionWindowSize { get; init; }

    public required string? Compression { get; init; }

    public required TimeSpan? ShutdownTimeout { get; init; }

    public required int? MaxConnections { get; init; }

    public required bool Faults { get; init; }

    public required bool OnDemand { get; init; }

    public required TimeSpan? WaitForName { get; init; }
}
