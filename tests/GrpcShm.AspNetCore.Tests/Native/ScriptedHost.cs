using System.Collections.Concurrent;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Tests.Native;

/// <summary>
/// A server with the scripted service, and a channel to it. Its calls are native ones, or go in full.
/// </summary>
internal sealed class ScriptedHost : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly string _name = $"native-{Guid.NewGuid():N}";
    private readonly ConcurrentQueue<string> _log = new();
    private WebApplication _app = null!;

    private ScriptedHost()
    {
    }

    public Scene Scene { get; } = new();

    public string Name => _name;

    public GrpcChannel Channel { get; private set; } = null!;

    /// <summary>The lines that gRPC and this library have logged, without what differs from call to call.</summary>
    public IEnumerable<string> Log => _log;

    /// <summary>The number of methods whose calls are native ones.</summary>
    public int NativeMethods =>
        _app.Services.GetRequiredService<DirectApplication>().Native!.Table.Endpoints.Count;

    /// <param name="isNative">True if the calls are native ones, without being asked for.</param>
    /// <param name="services">Adds services.</param>
    /// <param name="grpc">Sets the options of gRPC.</param>
    /// <param name="use">Adds middleware.</param>
    /// <param name="mode">The mode of the server, and of its clients.</param>
    public static async Task<ScriptedHost> StartAsync(
        bool isNative,
        Action<IServiceCollection>? services = null,
        Action<GrpcServiceOptions>? grpc = null,
        Action<WebApplication>? use = null,
        SharedMemoryMode mode = SharedMemoryMode.Direct)
    {
        var host = new ScriptedHost();
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { ContentRootPath = host._directory.Path });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<ILoggerProvider>(new Provider(host._log));
        builder.WebHost.ConfigureKestrel(options => options.ListenSharedMemory(host._name));
        builder.WebHost.UseSharedMemory(options =>
        {
            options.RuntimeDirectory = host._directory.Path;
            options.HandshakeTimeout = TimeLimit.Value;
            options.UseNativeDispatch = isNative;
            options.Mode = mode;
        });
        builder.Services.AddSingleton(host.Scene);
        builder.Services.AddScoped<ScopedThing>();
        builder.Services.AddGrpc(options => grpc?.Invoke(options));
        services?.Invoke(builder.Services);
        host._app = builder.Build();
        use?.Invoke(host._app);
        host._app.MapGrpcService<ScriptedService>();
        await host._app.StartAsync(TestContext.Current.CancellationToken).InTime();
        host.Channel = SharedMemoryChannel.CreateGrpcChannel(
            host._name, host.CreateOptions(mode), new GrpcChannelOptions { MaxReceiveMessageSize = null });
        if (isNative)
        {
            // Before grpc-dotnet has served a call in this process, somebody may wait for its events: so that call goes
            // in full.
            await ClientView.MakeAsync(host.Channel.CreateCallInvoker(), MethodType.Unary, ["first"], default);
            await host.Scene.WaitForEndAsync();
            host.Scene.Clear();
            host._log.Clear();
        }

        return host;
    }

    /// <summary>Makes a client for requests that no channel would make.</summary>
    public HttpMessageInvoker CreateInvoker() =>
        new(SharedMemoryChannel.CreateHandler(_name, CreateOptions(SharedMemoryMode.Direct)));

    /// <summary>Makes a channel that frames calls by itself, if the server has direct mode.</summary>
    public SharedMemoryChannel CreateNativeChannel() => SharedMemoryChannel.ForAddress(
        _name, CreateOptions(SharedMemoryMode.Auto), new GrpcChannelOptions { MaxReceiveMessageSize = null });

    public async ValueTask DisposeAsync()
    {
        Channel?.Dispose();
        await _app.DisposeAsync().InTime();
        _directory.Dispose();
    }

    private SharedMemoryClientOptions CreateOptions(SharedMemoryMode mode) => new()
    {
        RuntimeDirectory = _directory.Path,
        ConnectTimeout = TimeLimit.Value,
        Mode = mode,
    };

    private sealed class Provider(ConcurrentQueue<string> log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) =>
            categoryName.StartsWith("Grpc", StringComparison.Ordinal)
                ? new Logger(categoryName, log)
                : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Dispose()
        {
        }
    }

    private sealed class Logger(string category, ConcurrentQueue<string> log) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) =>
            logLevel >= LogLevel.Information && category != "GrpcShm.Transport";

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel) && category.StartsWith("Grpc.", StringComparison.Ordinal))
            {
                log.Enqueue(
                    $"{logLevel} {category} {eventId.Id} {eventId.Name}: {formatter(state, exception)} "
                    + $"[{exception?.GetType().Name}: {exception?.Message}]");
            }
        }
    }
}
