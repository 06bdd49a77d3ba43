using GrpcShm.Samples.Comparison.Transports;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>The application that every transport for gRPC serves.</summary>
internal static class GrpcServer
{
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    public static async Task ServeAsync(
        IGrpcTransport transport, string address, Action<string> listening, CancellationToken stopping)
    {
        var builder = CreateBuilder();
        transport.ConfigureServer(builder, address);
        await using var application = Build(builder);
        await application.StartAsync(CancellationToken.None);
        listening(transport.GetBoundAddress(application, address));

        var stopped = new TaskCompletionSource();
        await using var registration = stopping.Register(stopped.SetResult);
        await stopped.Task;
        using var timeout = new CancellationTokenSource(StopTimeout);
        await application.StopAsync(timeout.Token);
    }

    public static WebApplicationBuilder CreateBuilder()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // Standard output is for the address, so log lines go to standard error.
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services
            .AddGrpc(grpc =>
            {
                grpc.MaxReceiveMessageSize = null;
                grpc.MaxSendMessageSize = null;
            })
            .AddLoans<LoanedService>();

        // A sender waits as long as a receiver may stand still on a busy machine. No event is refused before.
        builder.Services.AddEventBus(bus => bus.MaxBlockTime = SampleProcess.StartTime);
        return builder;
    }

    public static WebApplication Build(WebApplicationBuilder builder)
    {
        var application = builder.Build();
        application.MapGrpcService<MeasuredService>();
        application.MapGrpcService<LoanedService>();
        application.MapEventBus();
        return application;
    }
}
