using System.Net;
using System.Security.Authentication;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// A client that asks for TLS where the endpoint has none reads that, and gets the status that it would get over a
/// socket.
/// </summary>
public sealed class MissingTlsTests
{
    private const string Message =
        "The endpoint 'shm:greeter' has no TLS, and the address of the request asks for TLS by its 'https'.";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(SharedMemoryMode.Auto, HttpProtocols.Http2)]
    [InlineData(SharedMemoryMode.Http2, HttpProtocols.Http2)]
    [InlineData(SharedMemoryMode.Auto, HttpProtocols.Http1AndHttp2)]
    [InlineData(SharedMemoryMode.Http2, HttpProtocols.Http1)]
    public async Task Call_EndpointWithoutTls_SaysSoAndWhatToWrite(SharedMemoryMode mode, HttpProtocols protocols)
    {
        await using var server = await StartAsync(protocols);
        var options = Options(server);
        options.Mode = mode;
        using var channel = SharedMemoryChannel.CreateGrpcChannel("https://shm:/greeter", options);

        AssertSaysSoOnce(await CallAsync(channel));
    }

    [Fact]
    public async Task Call_EndpointWithoutTlsByAHandlerOfTheUsersOwn_SaysSo()
    {
        await using var server = await StartAsync(HttpProtocols.Http2);
        var factory = new SharedMemoryConnectionFactory("shm:greeter", Options(server));
        using var handler = new SocketsHttpHandler { ConnectCallback = factory.ConnectAsync };
        using var channel = GrpcChannel.ForAddress(
            "https://localhost", new GrpcChannelOptions { HttpHandler = handler });

        AssertSaysSoOnce(await CallAsync(channel));
    }

    [Fact]
    public async Task Get_EndpointWithoutTls_HasTheReasonAsItsInnerException()
    {
        await using var server = await StartAsync(HttpProtocols.Http2);
        using var client = new HttpClient(SharedMemoryChannel.CreateHandler("shm:greeter", Options(server)));

        var failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => client.GetAsync(new Uri("https://greeter/"), Token).InTime());

        Assert.Equal(HttpRequestError.SecureConnectionError, failure.HttpRequestError);
        var reason = Assert.IsType<AuthenticationException>(failure.InnerException);
        Assert.StartsWith(Message, reason.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_EndpointWithoutTls_HasTheStatusOfASocket()
    {
        await using var server = await TestServer.StartAsync(static builder => builder.WebHost.ConfigureKestrel(
            static kestrel =>
            {
                kestrel.ListenSharedMemory("greeter");
                kestrel.Listen(IPAddress.Loopback, 0, static listen => listen.Protocols = HttpProtocols.Http2);
            }));
        var socket = server.Urls.Single(static url => !url.Contains("shm:", StringComparison.Ordinal));
        using var overSocket = GrpcChannel.ForAddress(socket.Replace("http:", "https:", StringComparison.Ordinal));
        using var overMemory = SharedMemoryChannel.CreateGrpcChannel("https://shm:/greeter", Options(server));

        Assert.Equal((await CallAsync(overSocket)).StatusCode, (await CallAsync(overMemory)).StatusCode);
    }

    private static SharedMemoryClientOptions Options(TestServer server) =>
        new() { RuntimeDirectory = server.Directory, ConnectTimeout = TimeLimit.Value };

    private static Task<TestServer> StartAsync(HttpProtocols protocols) =>
        TestServer.StartAsync(builder => builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.ListenSharedMemory("greeter", listen => listen.Protocols = protocols)));

    private static async Task<RpcException> CallAsync(GrpcChannel channel) =>
        await Assert.ThrowsAsync<RpcException>(
            () => new Greeter.GreeterClient(channel).GreetAsync(
                new Greeting(), deadline: TimeLimit.Deadline, cancellationToken: Token).ResponseAsync);

    private static void AssertSaysSoOnce(RpcException failure)
    {
        Assert.Equal(StatusCode.Internal, failure.StatusCode);
        Assert.Equal(2, failure.Status.Detail.Split(Message).Length);
        Assert.Contains(
            "Write the address with 'http', or as 'shm:greeter'", failure.Status.Detail, StringComparison.Ordinal);
        Assert.IsType<AuthenticationException>(failure.Status.DebugException?.InnerException);
    }
}
