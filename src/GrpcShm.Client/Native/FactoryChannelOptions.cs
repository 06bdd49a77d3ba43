using Grpc.Net.Client;

namespace GrpcShm.Client.Native;

/// <summary>
/// The options of a channel that the gRPC client factory makes. The factory has a scope for each of its channels, and
/// so this is how the interceptors of the channel find them.
/// </summary>
internal sealed class FactoryChannelOptions
{
    /// <summary>The options; nothing before the factory has made them.</summary>
    public GrpcChannelOptions? Options { get; set; }
}
