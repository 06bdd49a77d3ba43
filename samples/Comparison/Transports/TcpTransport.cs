using System.Net;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.Samples.Comparison.Transports;

internal sealed class TcpTransport : IGrpcTransport
{
    public string Name => "tcp";

    public string Description => "gRPC, HTTP/2 over TCP loopback";

    public string ChooseAddress(string directory) => "http://127.0.0.1:0";

    public void ConfigureServer(WebApplicationBuilder builder, string address) =>
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port: 0, listen => listen.Protocols = HttpProtocols.Http2));

    public string GetBoundAddress(WebApplication application, string address) => application.Urls.Single();

    public ChannelBase CreateChannel(string address) =>
        GrpcChannel.ForAddress(address, ChannelOptions.Create(new SocketsHttpHandler()));
}
