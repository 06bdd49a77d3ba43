using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Grpc.Net.Client;
using GrpcShm.AspNetCore;
using GrpcShm.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Samples;

/// <summary>The endpoint of a sample's server. All differences between the transports are in this file.</summary>
/// <param name="Kind">The transport.</param>
/// <param name="Address">
/// The name of the shared-memory endpoint or the pipe, the socket's path, or the TCP port (0: any that is free).
/// </param>
internal sealed record SampleEndpoint(TransportKind Kind, string Address)
{
    // Over shared memory the two ends agree on a connection at once, but a busy machine may let one of them wait.
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(60);

    /// <summary>Makes a unique endpoint.</summary>
    public static SampleEndpoint CreateUnique(TransportKind kind)
    {
        var name = $"sample-{Environment.ProcessId}-{Guid.NewGuid():N}"[..28];
        return new SampleEndpoint(kind, kind switch
        {
            TransportKind.Tcp => "0",
            TransportKind.Uds => Path.Combine(Path.GetTempPath(), name + ".sock"),
            _ => name,
        });
    }

    /// <summary>Makes the server listen here.</summary>
    /// <param name="builder">The builder of the server.</param>
    /// <param name="sharedMemory">The settings for shared memory, if this is the transport.</param>
    public void Listen(IWebHostBuilder builder, Action<SharedMemoryTransportOptions>? sharedMemory = null)
    {
        switch (Kind)
        {
            case TransportKind.Shm:
                builder.UseSharedMemory(options =>
                {
                    options.HandshakeTimeout = HandshakeTime;
                    sharedMemory?.Invoke(options);
                });
                builder.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(Address));
                break;
            case TransportKind.Uds:
                builder.ConfigureKestrel(kestrel => kestrel.ListenUnixSocket(Address, UseHttp2));
                break;
            case TransportKind.Tcp:
                var port = int.Parse(Address, CultureInfo.InvariantCulture);
                builder.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, UseHttp2));
                break;
            case TransportKind.NamedPipe when OperatingSystem.IsWindows():
                builder.ConfigureKestrel(kestrel => kestrel.ListenNamedPipe(Address, UseHttp2));
                break;
            case TransportKind.NamedPipe:
                builder.ConfigureServices(
                    services => services.AddSingleton<IConnectionListenerFactory, NamedPipeListenerFactory>());
                builder.ConfigureKestrel(kestrel => kestrel.Listen(new NamedPipeEndPoint(Address), UseHttp2));
                break;
            default:
                throw new InvalidOperationException($"The transport {Kind} is not known.");
        }
    }

    /// <summary>
    /// The endpoint on which the server really listens: the free port that it got, if the port was 0.
    /// </summary>
    public SampleEndpoint AsBound(WebApplication server)
    {
        if (Kind != TransportKind.Tcp)
        {
            return this;
        }

        var addresses =
            server.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>();
        var port = new Uri(addresses.Addresses.Single()).Port;
        return this with { Address = port.ToString(CultureInfo.InvariantCulture) };
    }

    /// <summary>Makes a channel to the server that listens here.</summary>
    public SampleChannel CreateChannel() => new(Kind switch
    {
        TransportKind.Shm => SharedMemoryChannel.ForAddress(
            $"shm:{Address}", new SharedMemoryClientOptions { ConnectTimeout = HandshakeTime }),
        TransportKind.Tcp => GrpcChannel.ForAddress($"http://127.0.0.1:{Address}"),
        TransportKind.Uds => ChannelOver(ConnectSocketAsync),
        TransportKind.NamedPipe => ChannelOver(ConnectPipeAsync),
        _ => throw new InvalidOperationException($"The transport {Kind} is not known."),
    });

    private static void UseHttp2(ListenOptions options) => options.Protocols = HttpProtocols.Http2;

    private static GrpcChannel ChannelOver(
        Func<SocketsHttpConnectionContext, CancellationToken, ValueTask<Stream>> connect) =>
        GrpcChannel.ForAddress(
            "http://localhost",
            new GrpcChannelOptions
            {
                HttpHandler = new SocketsHttpHandler { ConnectCallback = connect },
                DisposeHttpClient = true,
            });

    private async ValueTask<Stream> ConnectSocketAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Address), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async ValueTask<Stream> ConnectPipeAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken) =>
        await NamedPipeConnector.ConnectAsync(Address, cancellationToken);
}
