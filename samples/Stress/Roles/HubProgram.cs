using System.Globalization;
using GrpcShm.EventBus;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Samples.Stress.Roles;

/// <summary>The process of the hub: nothing but the event service. It says where it listens.</summary>
internal static class HubProgram
{
    public static async Task<int> RunAsync(SampleEndpoint endpoint)
    {
        var commands = ParentCommands.Listen();
        if (endpoint.Kind == TransportKind.Uds)
        {
            // A hub that was killed leaves its socket's file, which Kestrel takes for one in use.
            File.Delete(endpoint.Address);
        }

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, ParentLifetime>();
        builder.Services.AddEventBus();
        endpoint.Listen(builder.WebHost);
        await using var app = builder.Build();
        app.MapEventBus();
        await app.StartAsync();
        Console.WriteLine($"ready {ActualAddress(app, endpoint)}");
        await commands.Gone;
        await app.StopAsync();
        return 0;
    }

    private static string ActualAddress(WebApplication app, SampleEndpoint endpoint)
    {
        if (endpoint.Kind != TransportKind.Tcp)
        {
            return endpoint.Address;
        }

        var addresses = app.Services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>();
        return new Uri(addresses.Addresses.Single()).Port.ToString(CultureInfo.InvariantCulture);
    }
}
