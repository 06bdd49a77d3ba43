using System.Net.Sockets;
using Grpc.Net.Client;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>Channels over Unix sockets.</summary>
internal static class UnixChannel
{
    public static GrpcChannel To(string path) => GrpcChannel.ForAddress(
        "http://localhost",
        new GrpcChannelOptions
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            },
            DisposeHttpClient = true,
        });
}
