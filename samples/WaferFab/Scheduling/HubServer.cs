using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Samples.WaferFab.Scheduling;

/// <summary>The event hub. It runs in the scheduler's process; it could also have a process of its own.</summary>
internal sealed class HubServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HubServer(WebApplication app, SampleEndpoint endpoint) => (_app, Endpoint) = (app, endpoint);

    /// <summary>The endpoint on which it listens.</summary>
    public SampleEndpoint Endpoint { get; }

    public static async Task<HubServer> StartAsync(TransportKind kind, CancellationToken cancellationToken)
    {
        var endpoint = SampleEndpoint.CreateUnique(kind);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();

        // A sender waits as long as a receiver may stand still on a busy machine. No event is refused before.
        builder.Services.AddEventBus(bus => bus.MaxBlockTime = SampleProcess.StartTime);
        endpoint.Listen(builder.WebHost);
        var app = builder.Build();
        app.MapEventBus();
        await app.StartAsync(cancellationToken);
        return new HubServer(app, endpoint.AsBound(app));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
