using System.Globalization;
using GrpcShm.EventBus;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Samples.WaferFab.Scheduling;

/// <summary>The event hub. It lives in the scheduler's process; it could as well be one of its own.</summary>
internal sealed class HubServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HubServer(WebApplication app, SampleEndpoint endpoint) => (_app, Endpoint) = (app, endpoint);

    /// <summary>Where it listens.</summary>
    public SampleEndpoint Endpoint { get; }

    public static async Task<HubServer> StartAsync(TransportKind kind, CancellationToken cancellationToken)
    {
        var endpoint = SampleEndpoint.CreateUnique(kind);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddEventBus();
        endpoint.Listen(builder.WebHost);
        var app = builder.Build();
        app.MapEventBus();
        await app.StartAsync(cancellationToken);
        return new HubServer(app, WithActualPort(app, endpoint));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static SampleEndpoint WithActualPort(WebApplication app, SampleEndpoint endpoint)
    {
        if (endpoint.Kind != TransportKind.Tcp)
        {
            return endpoint;
        }

        var addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>();
        return endpoint with { Address = new Uri(addresses.Addresses.Single()).Port.ToString(CultureInfo.InvariantCulture) };
    }
}
