using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.Samples.Comparison.Transports;

internal sealed class UnixSocketTransport : IGrpcTransport
{
    public string Name => TransportRegistry.Baseline;

    public string Description => "gRPC, HTTP/2 over a Unix domain socket";

    public string ChooseAddress(string directory) => Path.Combine(directory, "uds.sock");

    public void ConfigureServer(WebApplicationBuilder builder, string address) =>
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenUnixSocket(address, listen => listen.Protocols = HttpProtocols.Http2));

    public ChannelBase CreateChannel(string address)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(address), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        return GrpcChannel.ForAddress("http://localhost", ChannelOptions.Create(handler));
    }
}
