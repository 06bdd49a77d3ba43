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
}
