using System.Diagnostics;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using GrpcShm.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Tests.Native.Diagnostics;

/// <summary>
/// A host with one gRPC method in direct mode, which takes the full pipeline, or is served as a native call. It has a
/// source of spans of its own, so that listeners of other tests hear nothing of it.
/// </summary>
internal sealed class DiagnosedHost : IAsyncDisposable
{
    // Each host has a directory of its own.
    private const string Name = "diagnosed";

    private readonly TempDirectory _directory = new();
    private readonly WebApplication _app;
    private readonly Lazy<SharedMemoryChannel> _channel;

    private DiagnosedHost(
        bool isNative, DiagnosedHandler handler, Recorder recorder, Action<WebApplicationBuilder>? configure,
        Action<GrpcServiceEndpointConventionBuilder>? map, Action<WebApplication>? use)
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = _directory.Path });
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Information);
        builder.Services.AddSingleton<ILoggerProvider>(recorder);
        builder.Services.AddSingleton(Source);
        builder.Services.AddSingleton(handler);
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<IServiceMethodProvider<DiagnosedService>, DiagnosedService.Methods>();
        builder.WebHost.ConfigureKestrel(static options => options.ListenSharedMemory(Name));
        builder.WebHost.UseSharedMemory(options =>
        {
            options.RuntimeDirectory = _directory.Path;
            options.HandshakeTimeout = TimeLimit.Value;
        });
        configure?.Invoke(builder);
        if (isNative)
        {
            ServeNatively(builder.Services);
        }

        _app = builder.Build();
        use?.Invoke(_app);
        var mapped = _app.MapGrpcService<DiagnosedService>();
        map?.Invoke(mapped);
        _channel = new Lazy<SharedMemoryChannel>(() => SharedMemoryChannel.ForAddress(
            Name,
            new SharedMemoryClientOptions
            {
                RuntimeDirectory = _directory.Path,
                ConnectTimeout = TimeLimit.Value,
                Mode = SharedMemoryMode.Direct,
            }));
    }

    /// <summary>The source of the host's spans.</summary>
    public ActivitySource Source { get; } = new("Microsoft.AspNetCore");

    public IServiceProvider Services => _app.Services;

    public static async Task<DiagnosedHost> StartAsync(
        bool isNative,
        DiagnosedHandler handler,
        Recorder recorder,
        Action<WebApplicationBuilder>? configure = null,
        Action<GrpcServiceEndpointConventionBuilder>? map = null,
        Action<WebApplication>? use = null)
    {
        var host = new DiagnosedHost(isNative, handler, recorder, configure, map, use);
        await host._app.StartAsync(TestContext.Current.CancellationToken).InTime();
        return host;
    }

    /// <summary>Calls the method, and waits for the end as the client sees it.</summary>
    /// <returns>The status.</returns>
    public async Task<StatusCode> CallAsync(Metadata? headers = null, CancellationToken cancellationToken = default)
    {
        // Else the client would send the span of the test's as the parent.
        Activity.Current = null;
        using var call = _channel.Value.CreateCallInvoker().AsyncUnaryCall(
            DiagnosedService.Method,
            host: null,
            new CallOptions(headers, cancellationToken: cancellationToken),
            [1, 2, 3]);
        try
        {
            await call.ResponseAsync.InTime();
            return StatusCode.OK;
        }
        catch (RpcException exception)
        {
            return exception.StatusCode;
        }
    }

    /// <summary>Stops the host, which waits for all that it tells of its calls.</summary>
    public async Task StopAsync()
    {
        if (_channel.IsValueCreated)
        {
            _channel.Value.Dispose();
        }

        await _app.StopAsync(TestContext.Current.CancellationToken).InTime();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _app.DisposeAsync().InTime();
        Source.Dispose();
        _directory.Dispose();
    }

    private static void ServeNatively(IServiceCollection services)
    {
        var inner = services.Last(static service => service.ServiceType == typeof(IServer));
        services.Remove(inner);
        services.AddSingleton<IServer>(provider => new NativeServer(
            (IServer)inner.ImplementationFactory!(provider),
            new NativeApplication(provider, provider.GetRequiredService<DiagnosedHandler>())));
    }
}
