using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Samples.Stress.Roles;

/// <summary>The process of the hub: only the event service. It writes its address to its standard output.</summary>
internal static class HubProgram
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100);

    public static async Task<int> RunAsync(SampleEndpoint endpoint)
    {
        var commands = ParentCommands.Listen();
        if (endpoint.Kind == TransportKind.Uds)
        {
            // A killed hub leaves the file of its socket, and Kestrel takes the socket for one in use.
            File.Delete(endpoint.Address);
        }

        await using var app = await StartAsync(endpoint, commands.Gone);
        Console.WriteLine($"ready {endpoint.AsBound(app).Address}");
        await commands.Gone;
        await app.StopAsync();
        return 0;
    }

    private static async Task<WebApplication> StartAsync(SampleEndpoint endpoint, Task gone)
    {
        while (true)
        {
            var app = Build(endpoint);
            try
            {
                await app.StartAsync();
                return app;
            }
            catch (IOException exception)
                when (exception.InnerException is AddressInUseException
                    && endpoint.Kind == TransportKind.Tcp && !gone.IsCompleted)
            {
                // While the hub had no life, another program may have got its port for a connection.
                await app.DisposeAsync();
                await Task.WhenAny(gone, Task.Delay(RetryPause));
            }
            catch
            {
                await app.DisposeAsync();
                throw;
            }
        }
    }

    private static WebApplication Build(SampleEndpoint endpoint)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, ParentLifetime>();
        builder.Services.AddEventBus(bus => bus.MaxBlockTime = StressBus.SendTime);
        endpoint.Listen(builder.WebHost);
        var app = builder.Build();
        app.MapEventBus();
        return app;
    }
}
