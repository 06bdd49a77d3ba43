using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// Addresses of shared-memory endpoints that do not go with the server's other endpoints. None is dropped in silence.
/// </summary>
public sealed class AddressConflictTests
{
    private const string KestrelUrl = "Kestrel:Endpoints:Orders:Url";

    [Theory]
    [InlineData("code", "https://shm:/orders", "with TLS", "code (ListenSharedMemory)")]
    [InlineData("SharedMemory:Endpoints:0", "https://shm:/orders", "with TLS", "'SharedMemory:Endpoints'")]
    [InlineData(KestrelUrl, "https://shm:/orders", "with TLS", "'shm:orders' ('Kestrel:Endpoints:Orders:Url')")]
    [InlineData("code", "shm:orders", "with Http1", "code (ListenSharedMemory)")]
    public async Task Start_SameEndpointWithAnotherWish_IsRefusedAndNamesBothPlaces(
        string setting, string again, string wish, string place)
    {
        const string Again = "Kestrel:Endpoints:XAgain";
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            builder =>
            {
                if (setting == "code")
                {
                    builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("orders"));
                }
            },
            (setting, "shm:orders"),
            ($"{Again}:Url", again),
            ($"{Again}:Protocols", wish == "with Http1" ? "Http1" : "Http2")));

        Assert.Contains($"'{again}' ('{Again}:Url')", refused.Message, StringComparison.Ordinal);
        Assert.Contains(wish, refused.Message, StringComparison.Ordinal);
        Assert.Contains(place, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_AddressesOfOneEndpointThatDifferInTls_AreRefused()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            null, ("urls", "shm:orders;https://shm:/orders")));

        Assert.Contains("'https://shm:/orders' (--urls", refused.Message, StringComparison.Ordinal);
        Assert.Contains("by 'shm:orders' (--urls", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "in code")]
    [InlineData(false, "in Kestrel's section of the configuration")]
    public async Task Start_AddressBesideOtherEndpoints_IsSaidNotToBeListenedOn(bool isInCode, string reason)
    {
        var log = new CollectorProvider();
        await using var server = await TestServer.StartAsync(
            builder =>
            {
                builder.Logging.AddProvider(log);
                if (isInCode)
                {
                    builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0));
                }
            },
            ("urls", "shm:orders"),
            (isInCode ? "unused" : KestrelUrl, "http://127.0.0.1:0"));

        var line = Assert.Single(log.Log.Lines, static line => line.Name == "AddressReplaced");
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("'shm:orders' (--urls", line.Text, StringComparison.Ordinal);
        Assert.Contains(reason, line.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(log.Log.Lines, static line => line.Name == "NoEndPoint");
        Assert.StartsWith("http://127.0.0.1:", Assert.Single(server.Urls), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_AddressPreferredToOtherEndpoints_IsRefusedAndNamed()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => TestServer.StartAsync(
            static builder => builder.WebHost.ConfigureKestrel(static kestrel => kestrel.Listen(IPAddress.Loopback, 0)),
            ("urls", "shm:orders"),
            ("preferHostingUrls", "true")));

        Assert.Contains("'shm:orders' (--urls", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("including the shared-memory", refused.Message, StringComparison.Ordinal);
    }
}
