using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;

namespace GrpcShm.TestHost.Calling;

/// <summary>How a client differs from the default one.</summary>
public sealed record ClientSetup
{
    /// <summary>Where shared-memory names live.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>How shared memory carries the calls.</summary>
    public SharedMemoryMode Mode { get; init; }

    /// <summary>
    /// How long a server may take to answer a ping, which it gets after a second of silence while calls are under way.
    /// </summary>
    public TimeSpan? KeepAliveTimeout { get; init; }

    /// <summary>What to set on the gRPC channel.</summary>
    public Action<GrpcChannelOptions>? ConfigureChannel { get; init; }

    /// <summary>What to set on the HTTP handler beneath it.</summary>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; init; }

    /// <summary>What to set for shared memory alone.</summary>
    public Action<SharedMemoryClientOptions>? ConfigureSharedMemory { get; init; }

    /// <summary>The SHA-256 of the certificate that the server must show; null is a connection without TLS.</summary>
    public string? CertificateFingerprint { get; init; }
}
