using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.AspNetCore;
using GrpcShm.AspNetCore.Authentication;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests.Authentication;

/// <summary>
/// A server with authentication by the peer, and a policy for all calls, on shared memory and on a socket.
/// </summary>
internal sealed class GuardedServer : IAsyncDisposable
{
    private readonly TestServer _server;
    private readonly string _socket;

    private GuardedServer(TestServer server, string socket) => (_server, _socket) = (server, socket);

    public LogCollector Log { get; private init; } = new();

    public string Directory => _server.Directory;

    /// <param name="policy">Decides about each call.</param>
    /// <param name="configure">Changes the server, before it starts.</param>
    /// <param name="peer">Changes the options of the scheme.</param>
    /// <param name="find">Replaces the system's list of users.</param>
    public static async Task<GuardedServer> StartAsync(
        Action<AuthorizationPolicyBuilder> policy,
        Action<WebApplicationBuilder>? configure = null,
        Action<SharedMemoryPeerOptions>? peer = null,
        Func<PeerIdentity, string?>? find = null)
    {
        var log = new LogCollector();
        var socket = string.Empty;
        var server = await TestServer.StartAsync(builder =>
        {
            // The directory of this server, which it removes at its end.
            socket = Path.Join(builder.Environment.ContentRootPath, "plain.sock");
            builder.Logging.AddProvider(new Provider(log));
            builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.ListenSharedMemory("greeter");
                kestrel.ListenUnixSocket(socket, static listen => listen.Protocols = HttpProtocols.Http2);
            });
            builder.Services.AddAuthentication().AddSharedMemoryPeer(peer);
            builder.Services.AddAuthorizationBuilder()
                .SetFallbackPolicy(new AuthorizationPolicyBuilder().Apply(policy).Build());
            if (find is not null)
            {
                builder.Services.AddSingleton(
                    services => new PeerUserNames(services.GetRequiredService<ILoggerFactory>()) { Find = find });
            }

            configure?.Invoke(builder);
        });
        return new GuardedServer(server, socket) { Log = log };
    }

    /// <summary>A channel over shared memory.</summary>
    public GrpcChannel Connect(SharedMemoryMode mode) => SharedMemoryChannel.CreateGrpcChannel(
        "greeter", new SharedMemoryClientOptions { RuntimeDirectory = _server.Directory, Mode = mode });

    /// <summary>A channel over the server's other transport.</summary>
    public GrpcChannel ConnectPlainly() => GrpcChannel.ForAddress(
        "http://localhost",
        new GrpcChannelOptions { HttpHandler = UnixSocket.CreateHandler(_socket), DisposeHttpClient = true });

    /// <summary>Calls, and says how the call has ended.</summary>
    public static async Task<StatusCode> CallAsync(GrpcChannel channel)
    {
        try
        {
            var answer = await new Greeter.GreeterClient(channel).GreetAsync(
                new Greeting { Name = "Ada" }, null, TimeLimit.Deadline, TestContext.Current.CancellationToken);
            Assert.Equal("Hello, Ada.", answer.Text);
            return StatusCode.OK;
        }
        catch (RpcException exception)
        {
            return exception.StatusCode;
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private sealed class Provider(ILogger logger) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => logger;

        public void Dispose()
        {
        }
    }
}
