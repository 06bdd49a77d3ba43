using System.Text.Json;
using GrpcShm.EventBus;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Samples.PingPong;

/// <summary>The second process: the event hub and the machine 'pong'.</summary>
/// <remarks>
/// It writes "ready" and its address to its standard output. It answers each line on its standard input with the
/// resources that it has used. It ends when its standard input ends, which also happens when the first process dies.
/// </remarks>
internal static class PongServer
{
    public static async Task<int> RunAsync(SampleEndpoint endpoint)
    {
        using var doorbells = new DoorbellCounter();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // The standard output belongs to the first process.
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            options => options.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddSingleton<IHostLifetime, ParentLifetime>();

        // A sender waits as long as a receiver may stand still on a busy machine. No event is refused before.
        builder.Services.AddEventBus(bus => bus.MaxBlockTime = SampleProcess.StartTime);

        // A hub never waits, and does not run handlers on the thread that reads. So it needs no second thread for its
        // calls.
        endpoint.Listen(builder.WebHost, options => options.RunMode = RunMode.Inline);

        await using var app = builder.Build();
        app.MapEventBus();
        await using var pong = new PongMachine(app.Services.GetRequiredService<EventHub>());
        await pong.StartAsync();
        await app.StartAsync();
        Console.WriteLine($"ready {endpoint.AsBound(app).Address}");
        while (await Console.In.ReadLineAsync() is not null)
        {
            var usage = ProcessUsage.OfThisProcess(doorbells);
            Console.WriteLine(JsonSerializer.Serialize(usage, RunReportContext.Default.ProcessUsage));
        }

        await app.StopAsync();
        return 0;
    }
}
