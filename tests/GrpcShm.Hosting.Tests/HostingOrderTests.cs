using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GrpcShm.AspNetCore.Hosting;
using GrpcShm.Client;
using GrpcShm.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Hosting.Tests;

/// <summary>
/// The order in which a host is built does not matter. An endpoint that cannot offer a mode of the options says why.
/// </summary>
public sealed class HostingOrderTests
{
    private const string NotOffered = "DirectModeNotOffered";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_KestrelComesAfterSharedMemory_OffersDirectMode()
    {
        var log = new Provider();
        await using var server = await StartAsync(log, static builder => builder.WebHost.UseKestrel());

        Assert.Equal("direct", await ModeAsync(server.Directory));
        Assert.Empty(log.Of(NotOffered));
    }

    [Fact]
    public async Task Start_EmptyBuilderWithSharedMemoryFirst_HasDirectModeAndTcp()
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-order-").FullName;
        try
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = directory });
            builder.Services.AddRoutingCore();
            builder.Services.AddGrpc();
            builder.Services.AddSingleton<IStartupFilter, ModeFilter>();
            builder.WebHost.UseSharedMemory(options => options.RuntimeDirectory = directory);
            builder.WebHost.UseKestrelCore();
            builder.WebHost.ConfigureKestrel(static kestrel =>
            {
                kestrel.ListenSharedMemory("ordered");
                kestrel.Listen(IPAddress.Loopback, 0);
            });
            await using var app = builder.Build();
            app.UseRouting();
            app.MapGrpcService<GreeterService>();
            await app.StartAsync(Token).WaitAsync(TimeLimit.Value, Token);

            Assert.Equal("direct", await ModeAsync(directory));
            Assert.Contains(app.Urls, static url => url.StartsWith("http://127.0.0.1:", StringComparison.Ordinal));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public async Task Start_ServerOfOnesOwnAroundKestrel_KeepsTheAddressesAndDirectMode()
    {
        var log = new Provider();
        await using var server = await TestServer.StartAsync(
            builder =>
            {
                builder.Logging.AddProvider(log);
                builder.Services.AddSingleton<IStartupFilter, ModeFilter>();
                builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("ordered"));
                var inner = builder.Services
                    .Last(static service => service.ServiceType == typeof(IServer)).ImplementationFactory!;
                builder.Services.AddSingleton<IServer>(provider => new OwnServer((IServer)inner(provider)));
            },
            ("urls", "http://127.0.0.1:0"));

        Assert.Contains(server.Urls, static url => url.StartsWith("http://127.0.0.1:", StringComparison.Ordinal));
        Assert.Equal("direct", await ModeAsync(server.Directory));
        Assert.Empty(log.Of("ServerIsNotKestrel"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_TestServer_StaysWhatItIsAndSaysThatNobodyListens(bool isBefore)
    {
        var log = new Provider();
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders().AddProvider(log);
        if (isBefore)
        {
            builder.WebHost.UseTestServer();
        }

        builder.WebHost.UseSharedMemory();
        builder.WebHost.ConfigureKestrel(static kestrel => kestrel.ListenSharedMemory("ordered"));
        if (!isBefore)
        {
            builder.WebHost.UseTestServer();
        }

        await using var app = builder.Build();
        app.MapGet("/", static () => "Hello.");
        await app.StartAsync(Token).WaitAsync(TimeLimit.Value, Token);

        using var client = app.GetTestServer().CreateClient();
        Assert.Equal("Hello.", await client.GetStringAsync(new Uri("/", UriKind.Relative), Token));
        var line = Assert.Single(log.Of("ServerIsNotKestrel"));
        Assert.Equal(LogLevel.Warning, line.Level);
        Assert.Contains("shm:ordered", line.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("protocols", "Http1AndHttp2")]
    [InlineData("tls", "it has TLS")]
    [InlineData("listen", "ListenSharedMemory")]
    public async Task Start_EndpointThatCannotHaveDirectMode_SaysWhy(string what, string reason)
    {
        var log = new Provider();
        using var certificate = CreateCertificate();
        await using var server = await StartAsync(
            log, null, kestrel => ListenWithoutDirectMode(kestrel, what, certificate));

        var line = Assert.Single(log.Of(NotOffered));
        Assert.Equal("GrpcShm.AspNetCore", line.Category);
        Assert.Contains("shm:ordered", line.Text, StringComparison.Ordinal);
        Assert.Contains(reason, line.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("protocols", "Http1AndHttp2")]
    [InlineData("tls", "it has TLS")]
    [InlineData("listen", "ListenSharedMemory")]
    public async Task Start_EndpointThatCannotHaveTheOnlyMode_FailsAndSaysWhy(string what, string reason)
    {
        using var certificate = CreateCertificate();
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => StartAsync(
            new Provider(),
            static builder => builder.WebHost.UseSharedMemory(static options => options.Mode = SharedMemoryMode.Direct),
            kestrel => ListenWithoutDirectMode(kestrel, what, certificate)));

        Assert.Contains("shm:ordered", exception.Message, StringComparison.Ordinal);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        Assert.Contains("set Mode to Auto or Http2", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_NameIsInUse_IsLoggedInTheCategoryOfTheServer()
    {
        // Lines about the connections themselves have the transport's category.
        var log = new Provider();
        await using var first = await StartAsync(log, null);
        var directory = first.Directory;

        var second = StartAsync(log, builder => builder.WebHost.UseSharedMemory(options =>
        {
            options.RuntimeDirectory = directory;
            options.WaitForName = TimeLimit.Value;
        }));
        await TimeLimit.UntilAsync(() => log.Of("WaitingForName").Count > 0);
        await first.StopAsync();
        await using var successor = await second;

        Assert.Equal("GrpcShm.AspNetCore", Assert.Single(log.Of("WaitingForName")).Category);
        Assert.All(log.Of("Listening"), static line => Assert.Equal("GrpcShm.Transport", line.Category));
    }

    [Fact]
    public async Task Start_DirectModeIsNotOfferedByTheOptions_SaysNothing()
    {
        var log = new Provider();
        await using var server = await StartAsync(
            log,
            static builder => builder.WebHost.UseSharedMemory(static options => options.Mode = SharedMemoryMode.Http2));

        Assert.Equal("http2", await ModeAsync(server.Directory));
        Assert.Empty(log.Of(NotOffered));
    }

    [Fact]
    public async Task Start_KestrelShowsNothing_ServesOverHttp2AndSaysWhy()
    {
        // In a later version the members that this library reads may be elsewhere.
        var log = new Provider();
        await using var server = await StartAsync(log, static builder =>
            builder.Services.AddSingleton(new KestrelInternals { AreReadable = false }));

        Assert.Equal("http2", await ModeAsync(server.Directory));
        Assert.Contains("does not show", Assert.Single(log.Of(NotOffered)).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Internals_OfThisKestrel_AreReadable()
    {
        var internals = new KestrelInternals();
        var options = new KestrelServerOptions();
        options.Listen(IPAddress.Loopback, 0, listen => Assert.False(internals.HasTls(listen)));

        Assert.Single(internals.ListenedInCode(options)!);
    }

    [Fact]
    public async Task Internals_KestrelIsAsked_ShowsTheApplicationItServes()
    {
        var internals = new KestrelInternals();
        var seen = new Seen();
        await using var server = await TestServer.StartAsync(builder => builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.ListenSharedMemory("ordered", listen => listen.Use(next =>
            {
                internals.ShowApplication(next, seen, nameof(Seen.Take));
                return next;
            }))));

        // After that middleware comes the library's own, which is not Kestrel's.
        Assert.Null(seen.Application);
        await using var other = await TestServer.StartAsync(builder => builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Use(next =>
            {
                internals.ShowApplication(next, seen, nameof(Seen.Take));
                return next;
            }))));
        Assert.NotNull(seen.Application);
    }

    private static X509Certificate2 CreateCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }

    private static void ListenWithoutDirectMode(KestrelServerOptions kestrel, string what, X509Certificate2 certificate)
    {
        switch (what)
        {
            case "protocols":
                kestrel.ListenSharedMemory("ordered", static listen => listen.Protocols = HttpProtocols.Http1AndHttp2);
                break;
            case "tls":
                kestrel.ListenSharedMemory("ordered", listen => listen.UseHttps(certificate));
                break;
            default:
                kestrel.Listen(
                    new SharedMemoryEndPoint("ordered"), static listen => listen.Protocols = HttpProtocols.Http2);
                break;
        }
    }

    private static Task<TestServer> StartAsync(
        Provider log, Action<WebApplicationBuilder>? configure, Action<KestrelServerOptions>? listen = null) =>
        TestServer.StartAsync(builder =>
        {
            builder.Logging.AddProvider(log);
            builder.Services.AddSingleton<IStartupFilter, ModeFilter>();
            builder.WebHost.ConfigureKestrel(listen ?? (static kestrel => kestrel.ListenSharedMemory("ordered")));
            configure?.Invoke(builder);
        });

    private static async Task<string?> ModeAsync(string directory)
    {
        using var channel = SharedMemoryChannel.CreateGrpcChannel(
            "ordered", new SharedMemoryClientOptions
            {
                RuntimeDirectory = directory, ConnectTimeout = TimeLimit.Value,
            });
        using var call = new Greeter.GreeterClient(channel).GreetAsync(
            new Greeting { Name = "Ada" }, deadline: TimeLimit.Deadline, cancellationToken: Token);
        await call;
        return (await call.ResponseHeadersAsync).GetValue(ModeFilter.Header);
    }

    /// <summary>A server of another library that wraps Kestrel.</summary>
    private sealed class OwnServer(IServer inner) : IServer
    {
        public IFeatureCollection Features => inner.Features;

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull => inner.StartAsync(application, cancellationToken);

        public Task StopAsync(CancellationToken cancellationToken) => inner.StopAsync(cancellationToken);

        public void Dispose() => inner.Dispose();
    }

    /// <summary>Keeps the application that the server starts with.</summary>
    private sealed class Seen
    {
        public object? Application { get; private set; }

        public void Take<TContext>(IHttpApplication<TContext> application)
            where TContext : notnull => Application = application;
    }

    /// <summary>Keeps the lines that this library logs.</summary>
    private sealed class Provider : ILoggerProvider
    {
        private readonly ConcurrentQueue<Line> _lines = [];

        public List<Line> Of(string name) => [.. _lines.Where(line => line.Event == name)];

        public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

        public void Dispose()
        {
        }

        internal sealed record Line(string Category, string? Event, LogLevel Level, string Text);

        private sealed class Logger(Provider provider, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(
                LogLevel logLevel,
                EventId eventId,
                TState state,
                Exception? exception,
                Func<TState, Exception?, string> formatter) =>
                provider._lines.Enqueue(new Line(category, eventId.Name, logLevel, formatter(state, exception)));
        }
    }
}
