using GrpcShm.AspNetCore;
using GrpcShm.Differential.Responses;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Differential.Hosting;

/// <summary>One host that serves the same application in direct mode and over HTTP/2 on a Unix socket, with the same limits.</summary>
internal sealed class DifferentialHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _directory;

    private DifferentialHost(WebApplication app, string directory, ReportBook reports)
    {
        _app = app;
        _directory = directory;
        Reports = reports;
    }

    public ReportBook Reports { get; }

    /// <summary>The endpoint in shared memory.</summary>
    public string DirectAddress => "shm://" + DirectPath;

    public string DirectPath => Path.Join(_directory, "direct.sock");

    public string SocketPath => Path.Join(_directory, "http2.sock");

    public static async Task<DifferentialHost> StartAsync(string? plant)
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-differential-").FullName;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = directory });
        var host = new DifferentialHost(null!, directory, new ReportBook());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.ListenUnixSocket(host.SocketPath, listen => listen.Protocols = HttpProtocols.Http2);

            // Time plays no part in what is compared.
            options.Limits.MinRequestBodyDataRate = null;
            options.Limits.MinResponseDataRate = null;
        });
        builder.WebHost.UseSharedMemory(options => options.Endpoints.Add(host.DirectAddress));
        var app = builder.Build();
        var reporter = new RequestReporter(host.Reports);
        if (plant is not null)
        {
            app.Use(Plants.Find(plant));
        }

        app.Run(context => context.Request.Headers.ContainsKey(ResponseActor.Header)
            ? ResponseActor.HandleAsync(context)
            : reporter.HandleAsync(context));
        await app.StartAsync();
        return new DifferentialHost(app, directory, host.Reports);
    }

    /// <summary>Whether a request came in direct mode.</summary>
    public static bool IsDirect(HttpContext context) => context.Features.Get<ISharedMemoryConnectionFeature>() is not null;

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
