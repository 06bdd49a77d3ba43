using System.IO.Pipes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>
/// On Windows these are Kestrel's own named pipes. On other systems Kestrel has none, and .NET makes named pipes from
/// Unix sockets. There the samples' listener over <see cref="NamedPipeServerStream"/> is used.
/// </summary>
internal sealed class NamedPipeTransport : IGrpcTransport
{
    public string Name => "namedpipe";

    public string Description => OperatingSystem.IsWindows()
        ? "gRPC, HTTP/2 over a named pipe (Kestrel's)"
        : "gRPC, HTTP/2 over a named pipe (a listener over NamedPipeServerStream)";

    public string ChooseAddress(string directory) => NamedPipeName.In(directory, "grpc");

    public void ConfigureServer(WebApplicationBuilder builder, string address)
    {
        if (OperatingSystem.IsWindows())
        {
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenNamedPipe(address, UseHttp2));
            return;
        }

        builder.Services.AddSingleton<IConnectionListenerFactory, NamedPipeListenerFactory>();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(new NamedPipeEndPoint(address), UseHttp2));
    }

    public ChannelBase CreateChannel(string address)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectCallback =
                async (_, cancellationToken) => await NamedPipeConnector.ConnectAsync(address, cancellationToken),

            // If the window of a stream runs out, Kestrel 10.0.12 may lose the next response (dotnet/aspnetcore#53736).
            // With the timing of named pipes this happened in one of a few runs.
            InitialHttp2StreamWindowSize = 2 * 1024 * 1024,
        };
        return GrpcChannel.ForAddress("http://localhost", ChannelOptions.Create(handler));
    }

    private static void UseHttp2(ListenOptions options) => options.Protocols = HttpProtocols.Http2;
}
