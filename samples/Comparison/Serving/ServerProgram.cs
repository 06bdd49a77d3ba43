using GrpcShm.Samples.Comparison.Transports;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Samples.Comparison.Serving;

/// <summary>The server process: serves one transport until its standard input ends.</summary>
internal static class ServerProgram
{
    /// <summary>What the server writes before its address, once it listens.</summary>
    public const string ReadyPrefix = "ready ";

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(2);

    public static async Task<int> RunAsync(string transportName, string address)
    {
        var transport = TransportRegistry.Find(transportName);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        // Standard output carries the address, so complaints go to standard error.
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Services.AddGrpc(grpc =>
        {
            grpc.MaxReceiveMessageSize = null;
            grpc.MaxSendMessageSize = null;
        });
        transport.ConfigureServer(builder, address);

        await using var application = builder.Build();
        application.MapGrpcService<MeasuredService>();
        await application.StartAsync();
        Console.Out.WriteLine(ReadyPrefix + transport.GetBoundAddress(application, address));

        // The pipe ends with the parent, however the parent ends: no server outlives its comparison.
        await Task.Run(WaitForEndOfInput);
        using var timeout = new CancellationTokenSource(StopTimeout);
        await application.StopAsync(timeout.Token);
        return 0;
    }

    private static void WaitForEndOfInput()
    {
        using var input = Console.OpenStandardInput();
        Span<byte> ignored = stackalloc byte[64];
        while (input.Read(ignored) > 0)
        {
        }
    }
}
