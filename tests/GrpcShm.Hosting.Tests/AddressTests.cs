using System.Net;
using System.Net.Sockets;
using GrpcShm.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// Addresses of shared-memory endpoints where a server's addresses are written: in <c>--urls</c> and in Kestrel's
/// section of the configuration. A wrong address is refused, and never taken for a TCP port.
/// </summary>
public sealed class AddressTests
{
    private const string KestrelUrl = "Kestrel:Endpoints:Orders:Url";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("urls", "shm:orders")]
    [InlineData("urls", "SHM:orders")]
    [InlineData("urls", "shm:/orders")]
    [InlineData("urls", "http://shm:/orders")]
    [InlineData("urls", "HTTP://shm:/orders")]
    [InlineData(KestrelUrl, "shm:orders")]
    [InlineData(KestrelUrl, "shm:/orders")]
    [InlineData(KestrelUrl, "http://shm:/orders")]
    public async Task Start_NameAsAnAddress_IsListenedOn(string setting, string address)
    {
        await using var server = await TestServer.StartAsync(null, (setting, address));

        Assert.Equal("http://shm:/orders", Assert.Single(server.Urls));
        await GreetAsync(server, "orders");
    }

    [Theory]
    [InlineData("urls", "shm://")]
    [InlineData("urls", "http://shm://")]
    [InlineData(KestrelUrl, "shm://")]
    [InlineData(KestrelUrl, "http://shm://")]
    public async Task Start_PathAsAnAddress_IsListenedOn(string setting, string prefix)
    {
        using var directory = new TempDirectory();
        await using var server = await TestServer.StartAsync(null, (setting, prefix + directory.Socket));

        Assert.Equal("http://shm://" + directory.Socket, Assert.Single(server.Urls));
        await GreetAsync(server, directory.Socket);
    }

    [Theory]
    [InlineData("urls")]
    [InlineData(KestrelUrl)]
    public async Task Start_AddressThatAServerHasLogged_IsListenedOn(string setting)
    {
        string address;
        var log = new CollectorProvider();
        await using (var first = await TestServer.StartAsync(builder =>
        {
            builder.Logging.AddProvider(log);
            builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("logged"));
        }))
        {
            const string Words = "Now listening on: ";
            var line = await log.Log.WaitForAsync("ListeningOnAddress", Words);
            address = line.Text[Words.Length..];
        }

        await using var second = await TestServer.StartAsync(null, (setting, address));

        await GreetAsync(second, address);
    }

    [Fact]
    public async Task Start_AddressesOfBothKinds_AreBothListenedOn()
    {
        var port = FreePort();
        await using var server = await TestServer.StartAsync(null, ("urls", $"http://127.0.0.1:{port};shm:orders"));

        await GreetAsync(server, "orders");
        Assert.True(await AcceptsAsync(port));
    }

    [Fact]
    public async Task Start_EndpointsOfBothKindsInKestrelsSection_AreBothListenedOn()
    {
        var port = FreePort();
        await using var server = await TestServer.StartAsync(
            null,
            (KestrelUrl, "shm:orders"),
            ("Kestrel:Endpoints:Http:Url", $"http://127.0.0.1:{port}"));

        await GreetAsync(server, "orders");
        Assert.True(await AcceptsAsync(port));
    }

    [Fact]
    public async Task Start_SameEndpointEverywhere_IsListenedOnOnce()
    {
        await using var server = await TestServer.StartAsync(
            static builder => builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("orders")),
            ("SharedMemory:Endpoints:0", "orders"),
            (KestrelUrl, "http://shm:/orders"),
            ("Kestrel:Endpoints:Again:Url", "shm:orders"));

        Assert.Single(server.Urls);
        await GreetAsync(server, "orders");
    }

    [Fact]
    public async Task Start_HttpPortsAndASharedMemoryEndpointInKestrelsSection_LeavesThePortsSilencedAsKestrelDoes()
    {
        var silenced = FreePort();
        await using var server = await TestServer.StartAsync(
            null, ("http_ports", $"{silenced}"), (KestrelUrl, "shm:orders"));

        await GreetAsync(server, "orders");
        Assert.False(await AcceptsAsync(silenced));
    }

    [Theory]
    [InlineData("http://shm:orders", "orders")]
    [InlineData("http://shm/orders", "orders")]
    [InlineData("http://shm:5000", "5000")]
    [InlineData("https://shm:5000", "5000")]
    [InlineData("HTTP://SHM:5000", "5000")]
    [InlineData("http://shm:5000/orders", "orders")]
    [InlineData("http://shm:/orders/", "orders")]
    [InlineData("http://shm://orders", "orders")]
    [InlineData("http://shm", "orders")]
    [InlineData("http://shm:/", "orders")]
    [InlineData("shm://orders", "orders")]
    [InlineData("shm://5000", "5000")]
    [InlineData("shm:", "orders")]
    public async Task Start_WrongAddress_IsRefusedWithTheRightForms(string address, string name)
    {
        foreach (var setting in (string[])["urls", KestrelUrl])
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(
                () => TestServer.StartAsync(null, (setting, address)));

            Assert.Contains($"'{address}'", refused.Message, StringComparison.Ordinal);
            Assert.Contains(setting, refused.Message, StringComparison.Ordinal);
            Assert.Contains($"'shm:{name}' or 'http://shm:/{name}'", refused.Message, StringComparison.Ordinal);
            Assert.Contains("'http://*:5000'", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Start_HostWhoseNameOnlyBeginsLikeThat_IsKestrels()
    {
        var port = FreePort();
        await using var server = await TestServer.StartAsync(null, ("urls", $"http://shmoo:{port};shm:orders"));

        Assert.True(await AcceptsAsync(port));
    }

    [Fact]
    public async Task Start_ProtocolsInKestrelsSection_AreThoseOfTheEndpoint()
    {
        var log = new CollectorProvider();
        await using var server = await TestServer.StartAsync(
            builder => builder.Logging.AddProvider(log),
            (KestrelUrl, "shm:orders"),
            ("Kestrel:Endpoints:Orders:Protocols", "Http1AndHttp2"));

        await log.Log.WaitForAsync("DirectModeNotOffered", "it speaks Http1AndHttp2");
    }

    [Theory]
    [InlineData("Protocols", "Http7", "'Http7'. It has to be one of")]
    [InlineData("Certificate:Path", "orders.pfx", ":Certificate' is not read for a shared-memory endpoint")]
    [InlineData("SslProtocols:0", "Tls13", ":SslProtocols' is not read for a shared-memory endpoint")]
    public async Task Start_SettingInKestrelsSectionThatCannotBeKept_IsRefused(string key, string value, string reason)
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            null, (KestrelUrl, "shm:orders"), ($"Kestrel:Endpoints:Orders:{key}", value)));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("shm:later")]
    [InlineData("http://shm:{0}")]
    public async Task Reload_AddressThatMeansSharedMemory_OpensNoPortAndSaysSo(string form)
    {
        var port = FreePort();
        var address = form.Replace("{0}", $"{port}", StringComparison.Ordinal);
        var log = new CollectorProvider();
        IConfigurationRoot? configuration = null;
        await using var server = await TestServer.StartAsync(
            builder =>
            {
                builder.Logging.AddProvider(log);
                configuration = builder.Configuration;
            },
            (KestrelUrl, "shm:orders"));

        configuration!["Kestrel:Endpoints:Later:Url"] = address;
        configuration.Reload();

        var line = await log.Log.WaitForAsync("RestartNeeded", $"'{address}'");
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("'Kestrel:Endpoints:Later:Url'", line.Text, StringComparison.Ordinal);
        Assert.False(await AcceptsAsync(port));
        await GreetAsync(server, "orders");
    }

    [Fact]
    public async Task Reload_SharedMemoryAndTcpInOneChange_OpensTheTcpPortAndWarnsOnce()
    {
        var (first, second) = (FreePort(), FreePort());
        var log = new CollectorProvider();
        IConfigurationRoot? configuration = null;
        await using var server = await TestServer.StartAsync(
            builder =>
            {
                builder.Logging.AddProvider(log);
                configuration = builder.Configuration;
            },
            (KestrelUrl, "shm:orders"));

        configuration!["Kestrel:Endpoints:Later:Url"] = "shm:later";
        configuration["Kestrel:Endpoints:Http:Url"] = $"http://127.0.0.1:{first}";
        configuration.Reload();
        await TimeLimit.UntilAsync(() => AcceptsAsync(first));
        configuration["Kestrel:Endpoints:Http:Url"] = $"http://127.0.0.1:{second}";
        configuration.Reload();
        await TimeLimit.UntilAsync(() => AcceptsAsync(second));

        Assert.Single(log.Log.Lines, static line => line.Name == "RestartNeeded");
    }

    private static async Task GreetAsync(TestServer server, string address)
    {
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            address, new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, ConnectTimeout = TimeLimit.Value,
            });
        await new Greeter.GreeterClient(channel).GreetAsync(
            new Greeting { Name = "Ada" }, deadline: TimeLimit.Deadline, cancellationToken: Token);
    }

    private static async Task<bool> AcceptsAsync(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, Token);
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
