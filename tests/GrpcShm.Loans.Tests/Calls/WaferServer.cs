using Grpc.Core;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Loans.Tests.Calls;

/// <summary>A server of wafers in this process, and channels to it over each transport.</summary>
internal sealed class WaferServer : IAsyncDisposable
{
    private const int LargestMessage = 16 * 1024 * 1024;

    private readonly TempDirectory _directory = new();
    private readonly WebApplication _app;
    private readonly List<IDisposable> _channels = [];

    private WaferServer(Action<WebApplication> map, bool isNative, bool endsLoans)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = _directory.Path });
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(Notes);
        var grpc = builder.Services.AddGrpc(static options =>
        {
            options.MaxReceiveMessageSize = LargestMessage;
            options.Interceptors.Add<RefusingInterceptor>();
        });
        if (endsLoans)
        {
            // Twice, as two libraries may do it.
            grpc.AddLoans<LoanedWafers>().AddLoans();
        }

        builder.WebHost.UseSharedMemory(options =>
        {
            options.RuntimeDirectory = _directory.Path;
            options.HandshakeTimeout = TimeLimit.Value;
            options.UseNativeDispatch = isNative;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenSharedMemory("wafers");
            kestrel.ListenUnixSocket(_directory.Socket, static listen => listen.Protocols = HttpProtocols.Http2);
        });
        _app = builder.Build();
        map(_app);
    }

    public LoanedWafers.Notes Notes { get; } = new();

    public static async Task<WaferServer> StartAsync(Way way, bool isLoaned, bool endsLoans = true)
    {
        var server = new WaferServer(
            app =>
            {
                var service = isLoaned ? app.MapGrpcService<LoanedWafers>() : app.MapGrpcService<PlainWafers>();
                if (way == Way.Native)
                {
                    service.WithNativeDispatch();
                }
            },
            way == Way.Native,
            endsLoans);
        await server._app.StartAsync(TestContext.Current.CancellationToken).InTime();
        return server;
    }

    /// <summary>Makes a channel.</summary>
    public ChannelBase Connect(Way way)
    {
        var settings = new SharedMemoryClientOptions
        {
            RuntimeDirectory = _directory.Path,
            ConnectTimeout = TimeLimit.Value,
            Mode = way == Way.Http2 ? SharedMemoryMode.Http2 : SharedMemoryMode.Auto,
        };
        var channel = new GrpcChannelOptions { MaxReceiveMessageSize = LargestMessage };
        ChannelBase result = way switch
        {
            Way.Native => SharedMemoryChannel.ForAddress("shm:wafers", settings, channel),
            Way.Socket => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
            {
                MaxReceiveMessageSize = LargestMessage,
                HttpHandler = UnixSocket.CreateHandler(_directory.Socket),
                DisposeHttpClient = true,
            }),
            _ => SharedMemoryChannel.CreateGrpcChannel("shm:wafers", settings, channel),
        };
        _channels.Add((IDisposable)result);
        return result;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels)
        {
            channel.Dispose();
        }

        await _app.StopAsync(TestContext.Current.CancellationToken).InTime();
        await _app.DisposeAsync().InTime();
        _directory.Dispose();
    }
}
