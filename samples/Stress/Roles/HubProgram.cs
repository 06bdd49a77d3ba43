using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Samples.Stress.Roles;

/// <summary>The process of the hub: only the event service. It writes its address to its standard output.</summary>
internal static class HubProgram
{
    public static async Task<int> RunAsync(SampleEndpoint endpoint)
    {
        var commands = ParentCommands.Listen();
        if (endpoint.Kind == TransportKind.Uds)
        {
            // A killed hub leaves the file of its socket, and Kestrel takes the socket for one in use.
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
