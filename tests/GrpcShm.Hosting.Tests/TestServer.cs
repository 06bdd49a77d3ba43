using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>A server in this process, with a run-time directory of its own.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private TestServer(WebApplication app, string directory)
    {
        _app = app;
        Directory = directory;
    }

    public string Directory { get; }

    public IServiceProvider Services => _app.Services;

    public ICollection<string> Urls => _app.Urls;

    public static Task<TestServer> StartAsync(
        Action<WebApplicationBuilder>? configure = null, params (string Key, string Value)[] settings) =>
        StartAsync(configure, static app => app.MapGrpcService<GreeterService>(), settings);

    /// <summary>Starts a server with services of a test's own.</summary>
    public static async Task<TestServer> StartAsync(
        Action<WebApplicationBuilder>? configure,
        Action<WebApplication> map,
        params (string Key, string Value)[] settings)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("grpcshm-hosting-").FullName;
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = directory });
        builder.Logging.ClearProviders();
        builder.Configuration["SharedMemory:RuntimeDirectory"] = directory;
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        builder.Services.AddGrpc();
        builder.WebHost.UseSharedMemory(static options => options.HandshakeTimeout = TimeLimit.Value);
        configure?.Invoke(builder);
        var app = builder.Build();
        try
        {
            map(app);
            await app.StartAsync(TestContext.Current.CancellationToken).WaitAsync(TimeLimit.Value);
            return new TestServer(app, directory);
        }
        catch
        {
            await app.DisposeAsync();
            System.IO.Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    /// <summary>The number of the server's connections at present, by its own meter.</summary>
    public int CountConnections()
    {
        var factory = Services.GetRequiredService<IMeterFactory>();
        var connections = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "grpcshm.connections" && ReferenceEquals(instrument.Meter.Scope, factory))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => connections += value);
        listener.Start();
        listener.RecordObservableInstruments();
        return connections;
    }

    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken).WaitAsync(TimeLimit.Value);

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync().InTime();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
