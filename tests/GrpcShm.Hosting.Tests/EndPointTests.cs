using System.Net;
using System.Net.Sockets;
using GrpcShm.Client;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;

namespace GrpcShm.Hosting.Tests;

/// <summary>Which endpoints a server listens on, by code and by configuration, and which it does not.</summary>
public sealed class EndPointTests
{
    [Fact]
    public async Task Start_EndpointInTheConfiguration_ListensWithoutALineOfCode()
    {
        await using var server = await TestServer.StartAsync(null, ("SharedMemory:Endpoints:0", "configured"));

        Assert.True(await GreetsAsync(server, "configured"));
        Assert.DoesNotContain(server.Urls, url => url.Contains("localhost", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_SameEndpointInCodeAndConfigurationAndAddedTwice_ListensOnce()
    {
        await using var server = await TestServer.StartAsync(
            builder =>
            {
                builder.WebHost.UseSharedMemory();
                builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("shm:once"));
            },
            ("SharedMemory:Endpoints:0", "once"));

        Assert.True(await GreetsAsync(server, "once"));
        Assert.Single(server.Urls);
    }

    [Fact]
    public async Task Start_WithUrls_ListensOnBoth()
    {
        var port = FreePort();
        await using var server = await TestServer.StartAsync(Listen("both"), ("urls", $"http://127.0.0.1:{port}"));

        Assert.True(await GreetsAsync(server, "both"));
        Assert.True(await AcceptsAsync(port));
    }

    [Fact]
    public async Task Start_WithHttpPorts_ListensOnBoth()
    {
        var port = FreePort();
        await using var server = await TestServer.StartAsync(Listen("ports"), ("http_ports", $"{port}"));

        Assert.True(await GreetsAsync(server, "ports"));
        Assert.True(await AcceptsAsync(port));
    }

    [Fact]
    public async Task Start_WithUrlsAndATcpEndpointInCode_LeavesTheUrlsSilencedAsKestrelDoes()
    {
        var (silenced, listened) = (FreePort(), FreePort());
        await using var server = await TestServer.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.ListenSharedMemory("code");
                kestrel.ListenLocalhost(listened);
            }),
            ("urls", $"http://127.0.0.1:{silenced}"));

        Assert.True(await GreetsAsync(server, "code"));
        Assert.True(await AcceptsAsync(listened));
        Assert.False(await AcceptsAsync(silenced));
    }

    [Fact]
    public async Task Start_WithHttpPortsAndAnEndpointInTheConfiguration_LeavesThePortsSilencedAsKestrelDoes()
    {
        var (silenced, listened) = (FreePort(), FreePort());
        await using var server = await TestServer.StartAsync(
            Listen("config"),
            ("http_ports", $"{silenced}"),
            ("Kestrel:Endpoints:Http:Url", $"http://127.0.0.1:{listened}"));

        Assert.True(await GreetsAsync(server, "config"));
        Assert.True(await AcceptsAsync(listened));
        Assert.False(await AcceptsAsync(silenced));
    }

    [Fact]
    public async Task Start_UrlsPreferredToOtherEndpointsInCode_FailsLoudly()
    {
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            builder => builder.WebHost.ConfigureKestrel(kestrel =>
            {
                kestrel.ListenSharedMemory("preferred");
                kestrel.ListenLocalhost(FreePort());
            }),
            ("urls", $"http://127.0.0.1:{FreePort()}"),
            ("preferHostingUrls", "true")));

        Assert.Contains("PreferHostingUrls", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Urls_OfAServer_AreUrisThatAClientTakes()
    {
        await using var server = await TestServer.StartAsync(builder => builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenSharedMemory("shown");
            kestrel.ListenSharedMemory(Path.Combine(builder.Environment.ContentRootPath, "by-path.sock"));
        }));

        Assert.Equal(2, server.Urls.Count);
        foreach (var url in server.Urls)
        {
            Assert.Equal("shm", new Uri(url).Host);
            using var channel = SharedMemoryChannel.CreateGrpcChannel(
                url, new SharedMemoryClientOptions
                {
                    RuntimeDirectory = server.Directory, ConnectTimeout = TimeLimit.Value,
                });
            await new Greeter.GreeterClient(channel)
                .GreetAsync(
                    new Greeting(),
                    deadline: TimeLimit.Deadline,
                    cancellationToken: TestContext.Current.CancellationToken);
        }
    }

    [Theory]
    [InlineData("code")]
    [InlineData("urls")]
    [InlineData("SharedMemory:Endpoints:0")]
    public async Task Start_NameIsInUse_FailsWithTheAddressAsItIsLogged(string setting)
    {
        await using var first = await TestServer.StartAsync(Listen("taken"));

        var failure = await Assert.ThrowsAnyAsync<IOException>(() => TestServer.StartAsync(
            builder =>
            {
                builder.Configuration["SharedMemory:RuntimeDirectory"] = first.Directory;
                if (setting == "code")
                {
                    Listen("taken")(builder);
                }
            },
            (setting, "shm:taken")));

        // Kestrel's words about an address that is in use, and the transport's, which say by whom.
        Assert.Contains($" {Assert.Single(first.Urls)}: ", failure.Message, StringComparison.Ordinal);
        var reason = Assert.IsType<AddressInUseException>(failure.InnerException);
        Assert.StartsWith(
            $"The endpoint 'shm:taken' is in use by process {Environment.ProcessId} ",
            reason.Message,
            StringComparison.Ordinal);
    }

    private static Action<Microsoft.AspNetCore.Builder.WebApplicationBuilder> Listen(string name) =>
        builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(name));

    private static async Task<bool> GreetsAsync(TestServer server, string name)
    {
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            name, new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, ConnectTimeout = TimeLimit.Value,
            });
        var answer = await new Greeter.GreeterClient(channel)
            .GreetAsync(
                new Greeting { Name = "Ada" },
                deadline: TimeLimit.Deadline,
                cancellationToken: TestContext.Current.CancellationToken);
        return answer.EndPoint == $"shm:{name}";
    }

    private static async Task<bool> AcceptsAsync(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
