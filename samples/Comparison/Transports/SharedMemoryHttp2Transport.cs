using Grpc.Core;
using GrpcShm.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace GrpcShm.Samples.Comparison.Transports;

internal sealed class SharedMemoryHttp2Transport : IGrpcTransport
{
    public string Name => "shm-http2";

    public string Description => "gRPC, HTTP/2 through shared-memory rings";

    public string ChooseAddress(string directory) => Path.Combine(directory, "shm.sock");

    public void ConfigureServer(WebApplicationBuilder builder, string address)
    {
        builder.WebHost.UseSharedMemory();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(address));
    }

    public ChannelBase CreateChannel(string address) =>
        SharedMemoryChannel.ForAddress($"shm://{address}", new SharedMemoryClientOptions(), ChannelOptions.Create());
}
