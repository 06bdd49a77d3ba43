using Grpc.Net.Client;
using GrpcShm.Client;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace GrpcShm.Hosting.Tests;

/// <summary>A server with gRPC and a web application, and one handler for both.</summary>
internal sealed class PlainClient : IAsyncDisposable
{
    private readonly TestServer _server;
    private readonly GrpcChannel _channel;

    private PlainClient(TestServer server, PlainApplication application)
    {
        _server = server;
        Application = application;
        Handler = SharedMemoryChannel.CreateHandler(
            "greeter", new SharedMemoryClientOptions
            {
                RuntimeDirectory = server.Directory, ConnectTimeout = TimeLimit.Value,
            });
        Http = new HttpClient(Handler, disposeHandler: false) { Timeout = TimeLimit.Value };
        _channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = Handler });
    }

    public string Directory => _server.Directory;

    public PlainApplication Application { get; }

    public HttpMessageHandler Handler { get; }

    public HttpClient Http { get; }

    public static async Task<PlainClient> StartAsync(Action<KestrelServerOptions>? listen = null)
    {
        var application = new PlainApplication();
        var server = await TestServer.StartAsync(builder =>
        {
            builder.WebHost.ConfigureKestrel(listen ?? (static kestrel => kestrel.ListenSharedMemory("greeter")));
            builder.Services.AddSingleton<IStartupFilter, ModeFilter>();
            builder.Services.AddSingleton<IStartupFilter>(application);
        });
        return new PlainClient(server, application);
    }

    /// <summary>Makes a gRPC call.</summary>
    /// <returns>The mode by which the call arrived.</returns>
    public async Task<string> GreetAsync(Grpc.Core.Metadata? headers = null)
    {
        using var call = new Greeter.GreeterClient(_channel).GreetAsync(
            new Greeting { Name = "Ada" }, headers, TimeLimit.Deadline, TestContext.Current.CancellationToken);
        Assert.Equal("Hello, Ada.", (await call).Text);
        return (await call.ResponseHeadersAsync).GetValue(ModeFilter.Header)!;
    }

    /// <summary>How many connections the server has.</summary>
    public int CountConnections() => _server.CountConnections();

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        Http.Dispose();
        Handler.Dispose();
        await _server.DisposeAsync();
    }
}
