using GrpcShm.EventBus;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Samples.XStateNetAdapter;

/// <summary>The roles of the other processes. Each ends when its standard input ends.</summary>
internal static class Roles
{
    /// <summary>Holds the hub.</summary>
    public static async Task<int> HubAsync(SampleEndpoint endpoint)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<IHostLifetime, ParentLifetime>();
        builder.Services.AddEventBus();
        builder.Services.AddHealthChecks().AddEventBus();
        endpoint.Listen(builder.WebHost);
        await using var app = builder.Build();
        app.MapEventBus();
        await app.StartAsync();
        Console.WriteLine($"ready {endpoint.AsBound(app).Address}");
        await Console.In.ReadToEndAsync();
        await app.StopAsync();
        return 0;
    }

    /// <summary>Holds two traffic lights.</summary>
    public static async Task<int> MachinesAsync(SampleEndpoint endpoint)
    {
        using var channel = endpoint.CreateChannel();
        await using var client = CreateClient(channel, "machines");
        await client.ConnectAsync();
        await using var orchestrator = new EventBusOrchestrator(client);
        await orchestrator.RegisterMachineAsync(new TrafficLight("north"));
        await orchestrator.RegisterMachineAsync(new TrafficLight("south"));
        Console.WriteLine("ready");
        await Console.In.ReadToEndAsync();
        return 0;
    }

    /// <summary>Makes a client that supports Newtonsoft's payloads.</summary>
    public static EventClient CreateClient(Grpc.Core.ChannelBase channel, string name) =>
        new(channel, new EventBusClientOptions
        {
            Name = name,
            Codecs = { new JTokenCodec() },
            ConnectTimeout = SampleProcess.StartTime,
        });
}
