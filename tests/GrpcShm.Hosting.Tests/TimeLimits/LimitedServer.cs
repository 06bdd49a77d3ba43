using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Grpc.Net.Client;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests.TimeLimits;

/// <summary>
/// A server with time limits, on a shared-memory endpoint and on a Unix socket. Either the test drives the heartbeat of
/// the first endpoint, or both have Kestrel's heartbeat.
/// </summary>
internal sealed class LimitedServer : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, bool> _live = new();
    private readonly ConcurrentDictionary<string, bool> _idle = new();
    private TestServer _server = null!;
    private int _accepted;

    public ManualHeartbeat Heartbeat { get; } = new();

    /// <summary>The number of all connections so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>The number of open connections.</summary>
    public int Live => _live.Count;

    /// <summary>True if a connection is closing because it had no calls.</summary>
    public bool HasClosing => _idle.Keys.Any(_live.ContainsKey);

    /// <summary>The number of connections that were closed because they had no calls.</summary>
    public int Closed => _idle.Count;

    private string SocketPath => Path.Join(_server.Directory, "kestrel.sock");

    public static async Task<LimitedServer> StartAsync(
        Action<KestrelServerLimits> limit, RequestDelegate? handler = null, bool hasOwnHeartbeat = true)
    {
        var server = new LimitedServer();
        server._server = await TestServer.StartAsync(builder =>
        {
            builder.WebHost.ConfigureKestrel(kestrel =>
            {
                limit(kestrel.Limits);
                kestrel.ListenSharedMemory("greeter", listen => listen.Use(
                    next => context => server.ServeAsync(context, next, hasOwnHeartbeat)));
                kestrel.ListenUnixSocket(Path.Join(builder.Environment.ContentRootPath, "kestrel.sock"), listen =>
                {
                    listen.Protocols = HttpProtocols.Http2;
                    listen.Use(next => context => server.ServeAsync(context, next, false));
                });
            });
            builder.Logging.AddProvider(new IdleLog(server)).SetMinimumLevel(LogLevel.Debug);
            if (handler is not null)
            {
                builder.Services.AddSingleton<IStartupFilter>(new HandlerFilter(handler));
            }
        });
        if (hasOwnHeartbeat)
        {
            server._server.Services.GetRequiredService<DirectApplication>().Time = server.Heartbeat;
        }

        return server;
    }

    public HttpMessageInvoker CreateInvoker(bool overUnixSocket = false) => new(overUnixSocket
        ? UnixSocket.CreateHandler(SocketPath)
        : SharedMemoryChannel.CreateHandler("greeter", Options));

    public GrpcChannel CreateChannel() => SharedMemoryChannel.CreateGrpcChannel("greeter", Options);

    /// <summary>A request as gRPC sends it.</summary>
    public static HttpRequestMessage Request(string method, HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        return new HttpRequestMessage(HttpMethod.Post, $"http://localhost/test/{method}")
        {
            Content = content,
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Headers = { TE = { new TransferCodingWithQualityHeaderValue("trailers") } },
        };
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private SharedMemoryClientOptions Options =>
        new()
        {
            RuntimeDirectory = _server.Directory, Mode = SharedMemoryMode.Direct, ConnectTimeout = TimeLimit.Value,
        };

    private async Task ServeAsync(ConnectionContext context, ConnectionDelegate next, bool hasOwnHeartbeat)
    {
        // Kestrel's heartbeat is there in any case, and the limits depend on it.
        Assert.NotNull(context.Features.Get<IConnectionHeartbeatFeature>());
        if (hasOwnHeartbeat)
        {
            context.Features.Set<IConnectionHeartbeatFeature>(Heartbeat);
        }

        Interlocked.Increment(ref _accepted);
        _live[context.ConnectionId] = true;
        try
        {
            await next(context);
        }
        finally
        {
            _live.TryRemove(context.ConnectionId, out _);
        }
    }

    private sealed class HandlerFilter(RequestDelegate handler) : IStartupFilter
    {
        public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
        {
            app.Use((context, inner) =>
                context.Request.Path.StartsWithSegments("/test") ? handler(context) : inner(context));
            next(app);
        };
    }

    /// <summary>Notes the connections that were found idle.</summary>
    private sealed class IdleLog(LimitedServer server) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name == "ConnectionIdle" && state is IEnumerable<KeyValuePair<string, object?>> values)
            {
                server._idle[(string)values.First(static v => v.Key == "ConnectionId").Value!] = true;
            }
        }

        public void Dispose()
        {
        }
    }
}
