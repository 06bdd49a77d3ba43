using GrpcShm.AspNetCore.Direct;
using GrpcShm.AspNetCore.Native;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcShm.AspNetCore.Tests.Native.Proof;

/// <summary>A web application with a gRPC service on a shared-memory endpoint.</summary>
internal sealed class ProofHost : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private WebApplication _app = null!;

    private ProofHost()
    {
    }

    public LogCollector Log { get; } = new();

    public IServiceProvider Services => _app.Services;

    public NativeServices Native => Services.GetRequiredService<DirectApplication>().Native!;

    /// <summary>Starts an application.</summary>
    /// <param name="use">Adds middleware and endpoints.</param>
    /// <param name="services">Adds services.</param>
    /// <param name="map">Maps the service. By default it asks for native dispatch.</param>
    /// <param name="configure">Changes anything else.</param>
    /// <param name="isAsked">False if the service does not ask for native dispatch, by default.</param>
    public static async Task<ProofHost> StartAsync(
        Action<WebApplication>? use = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? map = null,
        Action<WebApplicationBuilder>? configure = null,
        bool isAsked = true)
    {
        var host = new ProofHost();
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { ContentRootPath = host._directory.Path, EnvironmentName = "Development" });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<ILoggerProvider>(new Provider(host.Log));
        builder.Services.AddGrpc();
        services?.Invoke(builder.Services);
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("proof"));
        builder.WebHost.UseSharedMemory(options => options.RuntimeDirectory = host._directory.Path);
        configure?.Invoke(builder);
        host._app = builder.Build();
        use?.Invoke(host._app);
        (map ?? (isAsked
            ? static app => app.MapGrpcService<PlainService>().WithNativeDispatch()
            : static app => app.MapGrpcService<PlainService>()))(host._app);
        await host._app.StartAsync(TestContext.Current.CancellationToken).InTime();
        return host;
    }

    /// <summary>Why a path is not dispatched natively; nothing if it is.</summary>
    public string? WhyNot(string path = PlainServiceBase.Path)
    {
        var table = Native.Table;
        if (table.Find(path) is not null)
        {
            return null;
        }

        // If the pipeline is not known, there is one reason for all, and the log alone has it.
        const string Before = ", since ";
        var refusal = table.Refusals.FirstOrDefault(refusal => refusal.Metadata.Method.FullName == path);
        return refusal?.Reason
            ?? Lines().Single(static line => line.Name != "NativeDispatch").Text.Split(Before, 2)[1][..^1];
    }

    /// <summary>The lines with an id of native dispatch.</summary>
    public IEnumerable<LogLine> Lines() =>
        Log.Lines.Where(static line => line.Name.StartsWith("NativeDispatch", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync().InTime();
        _directory.Dispose();
    }

    private sealed class Provider(LogCollector log) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) =>
            categoryName == "GrpcShm.AspNetCore" ? log : NullLogger.Instance;

        public void Dispose()
        {
        }
    }
}
