using GrpcShm.AspNetCore;
using GrpcShm.Differential.Responses;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Differential.Hosting;

/// <summary>
/// One host that serves the same application in direct mode and over HTTP/2 on a Unix socket, with the same limits.
/// </summary>
internal sealed class DifferentialHost : IAsyncDisposable
{
    private const string DirectName = "direct.sock";
    private const string SocketName = "http2.sock";

    private readonly WebApplication _app;
    private readonly string _directory;

    private DifferentialHost(WebApplication app, string directory, ReportBook reports, ResponseBook responses)
    {
        _app = app;
        _directory = directory;
        Reports = reports;
        Responses = responses;
    }

    public ReportBook Reports { get; }

    public ResponseBook Responses { get; }

    /// <summary>The endpoint in shared memory.</summary>
    public string DirectAddress => "shm://" + DirectPath;

    public string DirectPath => PathOf(_directory, DirectName);

    public string SocketPath => PathOf(_directory, SocketName);

    public static async Task<DifferentialHost> StartAsync(string? plant)
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-differential-").FullName;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = directory });
        var (direct, socket) = (PathOf(directory, DirectName), PathOf(directory, SocketName));
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.ListenUnixSocket(socket, listen => listen.Protocols = HttpProtocols.Http2);

            // No time limit may influence the results.
            options.Limits.MinRequestBodyDataRate = null;
            options.Limits.MinResponseDataRate = null;
        });
        builder.WebHost.UseSharedMemory(options => options.Endpoints.Add("shm://" + direct));
        var app = builder.Build();
        var host = new DifferentialHost(app, directory, new ReportBook(), new ResponseBook());
        var reporter = new RequestReporter(host.Reports);
        var actor = new ResponseActor(host.Responses);
        if (plant is not null)
        {
            app.Use(Plants.Find(plant));
        }

        app.Run(context => context.Request.Headers.ContainsKey(ResponseActor.Header)
            ? actor.HandleAsync(context)
            : reporter.HandleAsync(context));
        await app.StartAsync();
        return host;
    }

    /// <summary>True if a request came in direct mode.</summary>
    public static bool IsDirect(HttpContext context) =>
        context.Features.Get<ISharedMemoryConnectionFeature>() is not null;

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static string PathOf(string directory, string name) => Path.Join(directory, name);
}
