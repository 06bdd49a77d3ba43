using Microsoft.AspNetCore.Builder;
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
        Console.WriteLine($"ready {endpoint.AsBound(app).Address}");
        await commands.Gone;
        await app.StopAsync();
        return 0;
    }
}
