using Grpc.Net.Client;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>The common options of every channel, over each transport.</summary>
internal static class ChannelOptions
{
    public static GrpcChannelOptions Create(HttpMessageHandler? handler = null) => new()
    {
        HttpHandler = handler,
        DisposeHttpClient = true,
        // The largest payload is 16 MiB, but gRPC's limit for received messages is 4 MiB.
        MaxReceiveMessageSize = null,
    };
}
