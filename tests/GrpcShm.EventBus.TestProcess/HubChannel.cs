using System.Net.Sockets;
using Grpc.Net.Client;
using GrpcShm.Client;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>Channels over shared memory (<c>shm:name</c>) or Unix sockets (a path).</summary>
internal static class HubChannel
{
    /// <summary>How long one connection may take on a busy machine. It guards against a hang.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(60);

    /// <summary>How long the hub may take to answer. It turns a hang into a failure that says where.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    public static bool IsSharedMemory(string address) => address.StartsWith("shm:", StringComparison.Ordinal);

    public static GrpcChannel To(string address, Action<GrpcChannelOptions>? configure = null)
    {
        var options = new GrpcChannelOptions();
        configure?.Invoke(options);
        return IsSharedMemory(address)
            ? SharedMemoryChannel.ForAddress(
                address, new SharedMemoryClientOptions { ConnectTimeout = ConnectTimeout }, options)
            : ToSocket(address, options);
    }

    private static GrpcChannel ToSocket(string path, GrpcChannelOptions options)
    {
        options.HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        options.DisposeHttpClient = true;
        return GrpcChannel.ForAddress("http://localhost", options);
    }
}
