using System.Net.Sockets;
using Grpc.Net.Client;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests.PlugIns;

/// <summary>
/// The actions of a plug-in. They are called by name, in a copy that belongs to a <see cref="PlugInContext"/>.
/// </summary>
public static class PlugIn
{
    /// <summary>Uses a channel and disposes of it.</summary>
    public static async Task CallAsync(string directory, string mode)
    {
        using var channel = Open(directory, mode);
        await GreetAsync(channel);
    }

    /// <summary>The same over a Unix socket, without anything of ours.</summary>
    public static async Task CallOverUnixSocketAsync(string path)
    {
        using var channel = OpenUnixSocket(path);
        await GreetAsync(channel);
    }

    /// <summary>Serves a call, and stops.</summary>
    public static async Task ServeAsync(string directory)
    {
        await using var app = await StartAsync(directory, static builder => builder.WebHost.UseSharedMemory()
            .ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("greeter")));
        using (var channel = Open(directory, nameof(SharedMemoryMode.Auto)))
        {
            await GreetAsync(channel);
        }

        await app.StopAsync();
    }

    /// <summary>The same over a Unix socket, without anything of ours.</summary>
    public static async Task ServeOverUnixSocketAsync(string directory)
    {
        var path = Path.Join(directory, "greeter.unix");
        await using var app = await StartAsync(directory, builder => builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.ListenUnixSocket(path, static listen => listen.Protocols = HttpProtocols.Http2)));
        using (var channel = OpenUnixSocket(path))
        {
            await GreetAsync(channel);
        }

        await app.StopAsync();
    }

    /// <summary>
    /// Makes the first of all calls while the execution context has a value, and waits with an open channel until it
    /// may go on.
    /// </summary>
    /// <param name="directory">The directory of the server.</param>
    /// <param name="mode">The mode of the client.</param>
    /// <param name="context">The execution context that has the value. No other context has it.</param>
    /// <param name="called">Completes when the call has been made.</param>
    /// <param name="mayEnd">Completes when the plug-in may go on.</param>
    public static async Task CallInContextAsync(
        string directory, string mode, ExecutionContext? context, Action called, Task mayEnd)
    {
        using var channel = Open(directory, mode);
        Task? call = null;
        ExecutionContext.Run(context!, _ => call = GreetAsync(channel), null);
        context = null;
        await call!;
        call = null;
        called();
        await mayEnd;
        await GreetAsync(channel);
    }

    private static GrpcChannel Open(string directory, string mode) =>
        SharedMemoryChannel.CreateGrpcChannel("shm:greeter", new SharedMemoryClientOptions
        {
            RuntimeDirectory = directory,
            ConnectTimeout = TimeLimit.Value,
            Mode = Enum.Parse<SharedMemoryMode>(mode),
        });

    private static GrpcChannel OpenUnixSocket(string path) =>
        GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
        {
            DisposeHttpClient = true,
            HttpHandler = new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) =>
                {
                    var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                },
            },
        });

    private static async Task GreetAsync(GrpcChannel channel)
    {
        var answer = await new Greeter.GreeterClient(channel).GreetAsync(
            new Greeting { Name = "plug-in" }, deadline: DateTime.UtcNow + TimeLimit.Value);
        if (answer.Text != "Hello, plug-in.")
        {
            throw new InvalidOperationException($"The server said '{answer.Text}'.");
        }
    }

    private static async Task<WebApplication> StartAsync(string directory, Action<WebApplicationBuilder> configure)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = directory });
        builder.Logging.ClearProviders();
        builder.Configuration["SharedMemory:RuntimeDirectory"] = directory;
        builder.Services.AddGrpc();
        configure(builder);
        var app = builder.Build();
        app.MapGrpcService<GreeterService>();
        await app.StartAsync();
        return app;
    }
}
