using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>A server that lacks a line of code, or an endpoint, says so when it starts.</summary>
public sealed class MissingPartTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_WithoutUseSharedMemory_FailsAndNamesTheMissingLine(bool isHttp2)
    {
        using var directory = new TempDirectory();
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { ContentRootPath = directory.Path });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory("orders", listen =>
        {
            if (!isHttp2)
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
            }
        }));
        await using var app = builder.Build();

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => app.StartAsync(Token).WaitAsync(TimeLimit.Value, Token));

        Assert.Contains("'shm:orders'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("'builder.WebHost.UseSharedMemory();'", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_NoSharedMemoryEndpoint_Warns()
    {
        var log = new CollectorProvider();
        await using var server = await TestServer.StartAsync(
            builder => builder.Logging.AddProvider(log), ("urls", "http://127.0.0.1:0"));

        var line = Assert.Single(log.Log.Lines, static line => line.Name == "NoEndPoint");
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("ListenSharedMemory", line.Text, StringComparison.Ordinal);
        Assert.StartsWith("http://127.0.0.1:", Assert.Single(server.Urls), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("SharedMemory:Endpoints:0", "orders")]
    [InlineData("urls", "shm:orders")]
    [InlineData("Kestrel:Endpoints:Orders:Url", "shm:orders")]
    [InlineData("code", "orders")]
    public async Task Start_OneSharedMemoryEndpoint_WarnsOfNothing(string setting, string value)
    {
        var log = new CollectorProvider();
        await using var server = await TestServer.StartAsync(
            builder =>
            {
                builder.Logging.AddProvider(log);
                if (setting == "code")
                {
                    builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(value));
                }
            },
            (setting, value));

        Assert.Equal("http://shm:/orders", Assert.Single(server.Urls));
        Assert.DoesNotContain(log.Log.Lines, static line => line.Level >= LogLevel.Warning);
    }
}
