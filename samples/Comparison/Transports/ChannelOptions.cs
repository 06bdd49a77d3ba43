using Grpc.Net.Client;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>What every channel has in common, whatever carries it.</summary>
internal static class ChannelOptions
{
    public static GrpcChannelOptions Create(HttpMessageHandler? handler = null) => new()
    {
        HttpHandler = handler,
        DisposeHttpClient = true,
        // The largest payload is 16 MiB, gRPC's limit for what is received 4 MiB.
        MaxReceiveMessageSize = null,
    };
}
