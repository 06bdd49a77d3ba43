using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Tests.Direct;

/// <summary>
/// A web application that offers direct mode, in a directory of its own, and notes each request that it sees.
/// </summary>
internal sealed class DirectHost : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly string _name = $"direct-{Guid.NewGuid():N}";
    private WebApplication _app = null!;

    private DirectHost()
    {
    }

    /// <summary>The paths of the requests that the application has seen.</summary>
    public ConcurrentQueue<string> Seen { get; } = new();

    public LogCollector Log { get; } = new();

    public string Directory => _directory.Path;

    public string Name => _name;

    public string SocketPath => _directory.File(_name + ".sock");

    /// <summary>Starts a host whose application is a handler.</summary>
    public static async Task<DirectHost> StartAsync(
        RequestDelegate handler,
        Action<KestrelServerOptions>? kestrel = null,
        Action<SharedMemoryTransportOptions>? transport = null)
    {
        var host = new DirectHost();
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = host.Directory });
        builder.Logging.ClearProviders();
        builder.Logging.SetMinimumLevel(LogLevel.Trace);
        builder.Services.AddSingleton<ILoggerProvider>(new Provider(host.Log));
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.ListenSharedMemory(host._name);
            kestrel?.Invoke(options);
        });
        builder.WebHost.UseSharedMemory(options =>
        {
            options.RuntimeDirectory = host.Directory;
            options.RingSize = 4096;
            options.HandshakeTimeout = TimeLimit.Value;
            transport?.Invoke(options);
        });
        host._app = builder.Build();
        host._app.Run(context =>
        {
            host.Seen.Enqueue(context.Request.Path.Value ?? "");
            return handler(context);
        });
        await host._app.StartAsync(TestContext.Current.CancellationToken).InTime();
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync().InTime();
        _directory.Dispose();
    }

    private sealed class Provider(LogCollector log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("GrpcShm", StringComparison.Ordinal)
            ? log
            : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Dispose()
        {
        }
    }
}
