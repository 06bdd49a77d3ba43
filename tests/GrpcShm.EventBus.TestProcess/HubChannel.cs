using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

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

    private static readonly Lazy<bool> IsGrpcKnown = new(MakeFirstCall);

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

    private static SharedMemoryChannel ToSharedMemory(string address, GrpcChannelOptions options)
    {
        var channel = SharedMemoryChannel.ForAddress(
            address, new SharedMemoryClientOptions { ConnectTimeout = ConnectTimeout }, options);
        if (IsGrpcKnown.Value)
        {
            ConnectIfSomebodyListens(channel);
        }

        return channel;
    }

    /// <summary>
    /// A client's session is one long call. grpc-dotnet makes the call that has to connect, so the channel connects
    /// before. If nobody listens yet, the client has to find out.
    /// </summary>
    private static void ConnectIfSomebodyListens(SharedMemoryChannel channel)
    {
        using var limit = new CancellationTokenSource(ConnectTimeout);
        var connected = channel.ConnectAsync(limit.Token);
        var state = channel.State;
        while (!connected.IsCompleted && state != ConnectivityState.TransientFailure)
        {
            Task.WaitAny(connected, channel.WaitForStateChangedAsync(state, limit.Token));
            state = channel.State;
        }

        limit.Cancel();
    }

    /// <summary>grpc-dotnet also makes the first call of a process, which so is one that leads nowhere.</summary>
    private static bool MakeFirstCall()
    {
        using var channel = GrpcChannel.ForAddress(
            "http://localhost", new GrpcChannelOptions { HttpHandler = new NoHandler(), DisposeHttpClient = true });
        try
        {
            new Contract.EventBusClient(channel).Publish(new PublishRequest());
        }
        catch (RpcException)
        {
            return true;
        }

        throw new InvalidOperationException("A call to nobody was answered.");
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

    private sealed class NoHandler : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromException<HttpResponseMessage>(new HttpRequestException("Nobody is here."));
    }
}
