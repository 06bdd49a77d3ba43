using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;

namespace GrpcShm.TestHost.Calling;

/// <summary>How a client differs from the default one.</summary>
public sealed record ClientSetup
{
    /// <summary>The directory of shared-memory names.</summary>
    public string? RuntimeDirectory { get; init; }

    /// <summary>The mode in which shared memory carries the calls.</summary>
    public SharedMemoryMode Mode { get; init; }

    /// <summary>True for a channel that frames its calls by itself.</summary>
    public bool IsNative { get; init; }

    /// <summary>
    /// The time in which the server must answer a ping. The client sends a ping after a second of silence while calls
    /// are open.
    /// </summary>
    public TimeSpan? KeepAliveTimeout { get; init; }

    /// <summary>Configures the gRPC channel.</summary>
    public Action<GrpcChannelOptions>? ConfigureChannel { get; init; }

    /// <summary>Configures the HTTP handler below the channel.</summary>
    public Action<SocketsHttpHandler>? ConfigureHandler { get; init; }

    /// <summary>Configures the options of shared memory.</summary>
    public Action<SharedMemoryClientOptions>? ConfigureSharedMemory { get; init; }

    /// <summary>The SHA-256 of the certificate that the server must show; null for a connection without TLS.</summary>
    public string? CertificateFingerprint { get; init; }
}
