using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>
/// A channel over shared memory (<c>shm:name</c>), which frames its calls by itself, or over a Unix socket (a path).
/// </summary>
internal sealed class HubChannel : ChannelBase, IDisposable
{
    /// <summary>How long one connection may take on a busy machine. It guards against a hang.</summary>
    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(60);

    /// <summary>How long the hub may take to answer. It turns a hang into a failure that says where.</summary>
    public static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);

    private readonly ChannelBase _channel;

    private HubChannel(ChannelBase channel)
        : base(channel.Target) => _channel = channel;

    public static bool IsSharedMemory(string address) => address.StartsWith("shm:", StringComparison.Ordinal);

    public static HubChannel To(string address, Action<GrpcChannelOptions>? configure = null)
    {
        var options = new GrpcChannelOptions();
        configure?.Invoke(options);
        return new HubChannel(IsSharedMemory(address) ? ToSharedMemory(address, options) : ToSocket(address, options));
    }

    public override CallInvoker CreateCallInvoker() => _channel.CreateCallInvoker();

    public void Dispose() => ((IDisposable)_channel).Dispose();

    private static SharedMemoryChannel ToSharedMemory(string address, GrpcChannelOptions options) =>
        SharedMemoryChannel.ForAddress(
            address, new SharedMemoryClientOptions { ConnectTimeout = ConnectTimeout }, options);

    private static GrpcChannel ToSocket(string path, GrpcChannelOptions options)
    {
        options.HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        options.DisposeHttpClient = true;
        return GrpcChannel.ForAddress("http://localhost", options);
    }
}
