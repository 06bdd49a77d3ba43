using System.Net.Sockets;
using Grpc.Net.Client;
using GrpcShm.Client;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>Channels over shared memory (<c>shm:name</c>) or Unix sockets (a path).</summary>
internal static class HubChannel
{
    /// <summary>How long one connection may take on a busy machine. It guards against a hang.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(60);

    public static bool IsSharedMemory(string address) => address.StartsWith("shm:", StringComparison.Ordinal);

    public static GrpcChannel To(string address) =>
        IsSharedMemory(address)
            ? SharedMemoryChannel.ForAddress(
                address, new SharedMemoryClientOptions { ConnectTimeout = ConnectTimeout })
            : ToSocket(address);

    private static GrpcChannel ToSocket(string path) => GrpcChannel.ForAddress(
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
