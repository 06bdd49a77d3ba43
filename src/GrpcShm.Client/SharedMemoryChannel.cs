using Grpc.Net.Client;
using GrpcShm.Transport;

namespace GrpcShm.Client;

/// <summary>Makes gRPC channels over shared memory.</summary>
public static class SharedMemoryChannel
{
    /// <summary>Makes a channel to the server that listens on a shared-memory endpoint.</summary>
    public static GrpcChannel ForAddress(string address) => ForAddress(address, new SharedMemoryClientOptions());

    /// <summary>Makes a channel.</summary>
    public static GrpcChannel ForAddress(string address, SharedMemoryClientOptions options, GrpcChannelOptions? channelOptions = null) =>
        throw new NotImplementedException();
}
