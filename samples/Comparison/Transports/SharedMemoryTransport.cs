using Grpc.Core;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>Shared memory in one fixed mode, so that the row's name is right.</summary>
internal sealed class SharedMemoryTransport(SharedMemoryMode mode, bool isNative = false) : IGrpcTransport
{
    // The two ends agree on a connection at once, but a busy machine may let one of them wait.
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(60);

    public string Name =>
        isNative ? "shm-native" : mode == SharedMemoryMode.Direct ? "shm-direct" : "shm-http2";

    public string Description =>
        isNative ? "gRPC, calls framed by the channel and dispatched by the transport, without HTTP"
        : mode == SharedMemoryMode.Direct ? "gRPC, calls framed straight into shared-memory rings"
        : "gRPC, HTTP/2 through shared-memory rings";

    public bool SendsLoans => isNative;

    public string ChooseAddress(string directory) => Path.Combine(directory, Name + ".sock");

    public void ConfigureServer(WebApplicationBuilder builder, string address)
    {
        builder.WebHost.UseSharedMemory(options =>
        {
            options.HandshakeTimeout = HandshakeTime;

            // The server would dispatch the calls natively by itself.
            options.UseNativeDispatch = isNative;
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(address));
    }

    public ChannelBase CreateChannel(string address)
    {
        address = $"shm://{address}";
        var options = new SharedMemoryClientOptions { Mode = mode, ConnectTimeout = HandshakeTime };
        return isNative
            ? SharedMemoryChannel.ForAddress(address, options, ChannelOptions.Create())
            : SharedMemoryChannel.CreateGrpcChannel(address, options, ChannelOptions.Create());
    }
}
