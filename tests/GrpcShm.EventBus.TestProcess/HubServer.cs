using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>A hub that serves over a Unix socket or shared memory.</summary>
internal sealed class HubServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HubServer(WebApplication app, string socket)
    {
        _app = app;
        Socket = socket;
    }

    public string Socket { get; }

    public IServiceProvider Services => _app.Services;

    public EventHub Hub => Services.GetRequiredService<EventHub>();

    public static async Task<HubServer> StartAsync(
        string socket, Action<EventBusOptions>? configure = null, Action<WebApplicationBuilder>? build = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddEventBus(configure);
        if (HubChannel.IsSharedMemory(socket))
        {
            builder.WebHost.UseSharedMemory(options => options.HandshakeTimeout = HubChannel.ConnectTimeout);
            builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(socket["shm:".Length..]));
        }
        else
        {
            builder.WebHost.ConfigureKestrel(
                kestrel => kestrel.ListenUnixSocket(socket, options => options.Protocols = HttpProtocols.Http2));
        }

        build?.Invoke(builder);
        var app = builder.Build();
        app.MapEventBus();
        await app.StartAsync();
        return new HubServer(app, socket);
    }

    public Task StopAsync() => _app.StopAsync().WaitAsync(HubChannel.LongestWait);

    public ValueTask DisposeAsync() => new(_app.DisposeAsync().AsTask().WaitAsync(HubChannel.LongestWait));
}
