using System.Net;
using System.Text;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>Requests that block their caller's thread have the same outcome as over a socket.</summary>
public sealed class SynchronousRequestTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("auto", "web")]
    [InlineData("auto", "greeter")]
    [InlineData("http2", "web")]
    [InlineData("http2", "greeter")]
    public async Task Send_RequestOfHttp1_IsAnsweredAsOverASocket(string mode, string endPoint)
    {
        await using var server = await StartAsync();

        var expected = await SendAsync(
            server, "socket", endPoint, HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrLower);
        var outcome = await SendAsync(
            server, mode, endPoint, HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrLower);

        Assert.Equal(expected, outcome);
        Assert.Equal(
            endPoint == "web"
                ? "OK: POST /report text/plain; charset=utf-8 HTTP/1.1 hello"
                : "BadRequest: An HTTP/1.x request was sent to an HTTP/2 only endpoint.",
            outcome);
    }

    [Theory]
    [InlineData("auto", "2.0", HttpVersionPolicy.RequestVersionExact)]
    [InlineData("direct", "2.0", HttpVersionPolicy.RequestVersionExact)]
    [InlineData("http2", "2.0", HttpVersionPolicy.RequestVersionExact)]
    [InlineData("auto", "1.1", HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData("direct", "1.1", HttpVersionPolicy.RequestVersionOrHigher)]
    [InlineData("http2", "1.1", HttpVersionPolicy.RequestVersionOrHigher)]
    public async Task Send_RequestThatIsOrMayBecomeHttp2_IsRefusedAsOverASocket(
        string mode, string version, HttpVersionPolicy policy)
    {
        await using var server = await StartAsync();

        var expected = await SendAsync(server, "socket", "greeter", Version.Parse(version), policy);
        var outcome = await SendAsync(server, mode, "greeter", Version.Parse(version), policy);

        Assert.Equal(nameof(NotSupportedException), expected);
        Assert.Equal(expected, outcome);
    }

    [Fact]
    public async Task Send_RequestOfHttp1InDirectModeAlone_IsRefusedAsWithoutBlocking()
    {
        await using var server = await StartAsync();

        var outcome = await SendAsync(
            server, "direct", "greeter", HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrLower);

        Assert.Equal(nameof(HttpRequestException), outcome);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("http2")]
    public async Task Send_BesideOthersThatDoNotBlock_IsServed(string mode)
    {
        await using var server = await StartAsync();
        using var invoker = CreateInvoker(server, mode, "web");
        for (var i = 0; i < 3; i++)
        {
            using var request = CreateRequest(HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrLower);
            using var response = await Task.Run(() => invoker.Send(request, Token), Token)
                .WaitAsync(TimeLimit.Value, Token);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            using var other = CreateRequest(HttpVersion.Version11, HttpVersionPolicy.RequestVersionOrLower);
            using var next = await invoker.SendAsync(other, Token).WaitAsync(TimeLimit.Value, Token);
            Assert.Equal(HttpStatusCode.OK, next.StatusCode);
        }
    }

    private static Task<TestServer> StartAsync() => TestServer.StartAsync(static builder =>
    {
        var directory = builder.Environment.ContentRootPath;
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenSharedMemory("greeter");
            kestrel.ListenUnixSocket(
                Path.Combine(directory, "greeter.socket"), static listen => listen.Protocols = HttpProtocols.Http2);
            kestrel.ListenSharedMemory("web", static listen => listen.Protocols = HttpProtocols.Http1AndHttp2);
            kestrel.ListenUnixSocket(
                Path.Combine(directory, "web.socket"), static listen => listen.Protocols = HttpProtocols.Http1AndHttp2);
        });
        builder.Services.AddSingleton<IStartupFilter>(new PlainApplication());
    });

    private static HttpMessageInvoker CreateInvoker(TestServer server, string mode, string endPoint) => new(
        mode == "socket"
        ? UnixSocket.CreateHandler(Path.Combine(server.Directory, $"{endPoint}.socket"))
        : SharedMemoryChannel.CreateHandler(endPoint, new SharedMemoryClientOptions
        {
            RuntimeDirectory = server.Directory,
            ConnectTimeout = TimeLimit.Value,
            Mode = Enum.Parse<SharedMemoryMode>(mode, ignoreCase: true),
        }));

    private static HttpRequestMessage CreateRequest(Version version, HttpVersionPolicy policy) =>
        new(HttpMethod.Post, "http://localhost/report")
    {
        Version = version,
        VersionPolicy = policy,
        Content = new StringContent("hello", Encoding.UTF8, "text/plain"),
    };

    /// <summary>Sends a request, and returns its outcome.</summary>
    private static async Task<string> SendAsync(
        TestServer server, string mode, string endPoint, Version version, HttpVersionPolicy policy)
    {
        using var invoker = CreateInvoker(server, mode, endPoint);
        return await Task.Run(Send, Token).WaitAsync(TimeLimit.Value, Token);

        string Send()
        {
            using var request = CreateRequest(version, policy);
            try
            {
                using var response = invoker.Send(request, Token);
                using var reader = new StreamReader(response.Content.ReadAsStream(Token));
                return $"{response.StatusCode}: {reader.ReadToEnd()}";
            }
            catch (Exception exception)
            {
                return exception.GetType().Name;
            }
        }
    }
}
