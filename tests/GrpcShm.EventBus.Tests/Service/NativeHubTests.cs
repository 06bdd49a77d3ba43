using GrpcShm.EventBus.Tests.Client;
using GrpcShm.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>A hub is dispatched natively by itself, unless ASP.NET Core has to look at its calls.</summary>
public sealed class NativeHubTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hub_OnSharedMemory_IsNativeIfNobodyAuthenticatesItsClients(bool hasAuthentication)
    {
        var log = new LogCollector();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(new Provider(log));
        builder.WebHost.UseSharedMemory(static options => options.HandshakeTimeout = HubChannel.ConnectTimeout);
        builder.WebHost.ConfigureKestrel(
            static kestrel => kestrel.ListenSharedMemory($"hub-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40]));
        builder.Services.AddEventBus();
        if (hasAuthentication)
        {
            builder.Services.AddAuthentication().AddSharedMemoryPeer();
        }

        await using var app = builder.Build();
        app.MapEventBus();
        await app.StartAsync(TestContext.Current.CancellationToken).InTime();

        var line = Assert.Single(
            log.Lines, static line => line.Name.StartsWith("NativeDispatch", StringComparison.Ordinal));
        if (hasAuthentication || Environment.Version.Major != 10)
        {
            Assert.StartsWith(
                "Calls in direct mode to xstatenet.events.v1.EventBus take the full pipeline, since ",
                line.Text,
                StringComparison.Ordinal);
        }
        else
        {
            Assert.StartsWith(
                "Calls in direct mode to xstatenet.events.v1.EventBus are dispatched natively.",
                line.Text,
                StringComparison.Ordinal);
        }
    }

    private sealed class Provider(LogCollector log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => log;

        public void Dispose()
        {
        }
    }
}
