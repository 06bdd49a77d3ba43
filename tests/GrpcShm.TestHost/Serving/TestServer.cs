using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Faults;
using GrpcShm.TestHost.Services;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace GrpcShm.TestHost.Serving;

/// <summary>The server under test: an ordinary ASP.NET Core gRPC application, set up as a user does.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private readonly ServerSetup _setup;
    private readonly X509Certificate2? _certificate;
    private readonly FaultCommands? _faults;
    private readonly ConnectionRegistry _connections = new();
    private readonly List<(EndpointAddress Address, ListenOptions Options)> _listening = [];
    private readonly TaskCompletionSource _mayListen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WebApplication _app;

    public TestServer(ServerSetup setup)
    {
        _setup = setup;
        _faults = setup.Faults ? new FaultCommands() : null;
        _certificate = setup.Tls ? ServerCertificate.Create() : null;

        var builder = WebApplication.CreateBuilder(setup.Urls is null ? [] : ["--urls", setup.Urls]);
        AddLogging(builder);
        AddEndpoints(builder);
        AddServices(builder.Services);

        _app = builder.Build();
        MapServices(_app, setup.NativeDispatch);
    }

    /// <summary>
    /// Serves until <see cref="Stop"/>, and then until the calls in flight have ended or the time-out is over.
    /// </summary>
    public async Task RunAsync()
    {
        if (_setup.OnDemand)
        {
            new HostMessage(HostMessage.Ready, Environment.ProcessId).Write();
            await _mayListen.Task;
        }

        await _app.StartAsync();
        (CreateReadyMessage() with { Kind = _setup.OnDemand ? HostMessage.Listens : HostMessage.Ready }).Write();
        await _app.WaitForShutdownAsync();
    }

    /// <summary>
    /// Carries out a line from standard input: <c>open GATE</c>, <c>listen</c>, or one of <see cref="CrashCommands"/>
    /// or <see cref="FaultCommands"/>. A server that is stopping takes no new calls to <see cref="ControlService"/>.
    /// </summary>
    public void Execute(string command)
    {
        const string Open = "open ";
        if (command.StartsWith(Open, StringComparison.Ordinal))
        {
            _app.Services.GetRequiredService<GateRegistry>().Open(command[Open.Length..]);
        }
        else if (command == "listen")
        {
            _mayListen.TrySetResult();
        }
        else if (!CrashCommands.TryExecute(command))
        {
            _faults?.TryExecute(command);
        }
    }

    public void Stop()
    {
        _mayListen.TrySetResult();
        _app.Lifetime.StopApplication();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _certificate?.Dispose();
    }

    private void AddLogging(WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(
            console => console.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.Logging.SetMinimumLevel(_setup.LogLevel);

        var pings = new PingRegistry();
        builder.Services.AddSingleton(pings);
        if (_setup.WatchPings)
        {
            builder.Logging.AddProvider(pings);
            builder.Logging.AddFilter<PingRegistry>((category, _) => category == PingRegistry.Category);
            builder.Logging.AddFilter<Microsoft.Extensions.Logging.Console.ConsoleLoggerProvider>(
                level => level >= _setup.LogLevel);
        }
    }

    private void AddEndpoints(WebApplicationBuilder builder)
    {
        if (_setup.Listen.Concat(_setup.ListenHttp1).Any(address => address.Kind == EndpointKind.SharedMemory))
        {
            builder.WebHost.UseSharedMemory(options =>
            {
                options.RuntimeDirectory = _setup.RuntimeDirectory;
                options.UseNativeDispatch = _setup.NativeDispatch != DispatchChoice.Off;
                options.HandshakeTimeout = ChannelFactory.HandshakeTime;
                options.WaitForName = _setup.WaitForName ?? options.WaitForName;

                // A call in direct mode corresponds to a stream in HTTP/2.
                options.MaxCallsPerConnection = _setup.MaxStreamsPerConnection ?? options.MaxCallsPerConnection;
                options.MaxBufferedBytesPerConnection = Math.Max(
                    options.MaxBufferedBytesPerConnection, options.MaxCallsPerConnection * 128L * 1024);
                options.MaxBufferedBytes = Math.Max(options.MaxBufferedBytes, options.MaxBufferedBytesPerConnection);
            });
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            SetLimits(kestrel.Limits);
            foreach (var address in _setup.Listen)
            {
                Listen(kestrel, address, HttpProtocols.Http2);
            }

            foreach (var address in _setup.ListenHttp1)
            {
                Listen(kestrel, address, HttpProtocols.Http1);
            }
        });

        if (_setup.ShutdownTimeout is { } timeout)
        {
            builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = timeout);
        }
    }

    private void SetLimits(KestrelServerLimits limits)
    {
        // gRPC has limits of its own. On a busy machine the rates would abort calls that tests leave waiting.
        limits.MaxRequestBodySize = null;
        limits.MinRequestBodyDataRate = null;
        limits.MinResponseDataRate = null;
        limits.MaxConcurrentConnections = _setup.MaxConnections;
        limits.Http2.KeepAlivePingDelay = _setup.KeepAlivePingDelay ?? limits.Http2.KeepAlivePingDelay;
        limits.Http2.KeepAlivePingTimeout = _setup.KeepAlivePingTimeout ?? limits.Http2.KeepAlivePingTimeout;
        limits.Http2.MaxStreamsPerConnection = _setup.MaxStreamsPerConnection ?? limits.Http2.MaxStreamsPerConnection;
        limits.Http2.InitialConnectionWindowSize =
            _setup.ConnectionWindowSize ?? limits.Http2.InitialConnectionWindowSize;
    }

    private void Listen(KestrelServerOptions kestrel, EndpointAddress address, HttpProtocols protocols)
    {
        switch (address.Kind)
        {
            case EndpointKind.SharedMemory:
                kestrel.ListenSharedMemory(address.Value, Configure);
                break;
            case EndpointKind.UnixSocket:
                // A killed process leaves the files of its sockets behind. Shared memory must handle its own old files.
                File.Delete(address.Value);
                kestrel.ListenUnixSocket(address.Value, Configure);
                break;
            default:
                kestrel.Listen(IPAddress.Loopback, address.Port, Configure);
                break;
        }

        void Configure(ListenOptions options)
        {
            options.Protocols = protocols;
            options.Use(next => connection => _connections.TrackAsync(connection, next));
            if (_certificate is not null)
            {
                options.UseHttps(_certificate);
            }

            _listening.Add((address, options));
        }
    }

    private void AddServices(IServiceCollection services)
    {
        services.AddSingleton(_connections);
        services.AddSingleton<CallRegistry>();
        services.AddSingleton<GateRegistry>();
        services.AddSingleton<AttemptRegistry>();

        var accessor = new HttpContextAccessor();
        services.AddSingleton<IHttpContextAccessor>(accessor);
        services.AddGrpc(grpc =>
        {
            grpc.Interceptors.Add<TrackingInterceptor>();
            grpc.CompressionProviders.Add(
                new ObservedGzipProvider(() => CompressionWitness.Note(accessor.HttpContext)));
            grpc.ResponseCompressionAlgorithm = _setup.Compression;
            SetLimit(_setup.MaxReceiveMessageSize, size => grpc.MaxReceiveMessageSize = size);
            SetLimit(_setup.MaxSendMessageSize, size => grpc.MaxSendMessageSize = size);
        }).AddServiceOptions<LimitedService>(grpc =>
        {
            grpc.MaxReceiveMessageSize = LimitedService.MaxMessageSize;
            grpc.MaxSendMessageSize = LimitedService.MaxMessageSize;
        });
        services.AddGrpcReflection();
        services.AddSignalR(hub => hub.MaximumReceiveMessageSize = null);
        services.AddGrpcHealthChecks().AddCheck("alive", () => HealthCheckResult.Healthy());

        static void SetLimit(int? size, Action<int> set)
        {
            if (size is { } value)
            {
                set(value);
            }
        }
    }

    private static void MapServices(WebApplication app, DispatchChoice dispatch)
    {
        IEndpointConventionBuilder[] services =
        [
            app.MapGrpcService<ConformanceService>(),
            app.MapGrpcService<LimitedService>(),
            app.MapGrpcService<ThreadsService>(),
            app.MapGrpcService<ControlService>(),
            app.MapGrpcHealthChecksService(),
            app.MapGrpcReflectionService(),
        ];
        foreach (var service in services.Where(_ => dispatch == DispatchChoice.Asked))
        {
            service.WithNativeDispatch();
        }

        if (dispatch == DispatchChoice.Off)
        {
            // The pages need it. Nobody can know to which paths its condition applies, so no call would be native.
            app.UseWhen(
                static context => context.Request.Path.StartsWithSegments("/plain"),
                static plain => plain.UseWebSockets());
        }

        PlainPages.Map(app);
        app.MapGet("/hello", (string name) => Results.Json(new { greeting = $"Hello, {name}." }));
    }

    private HostMessage CreateReadyMessage() => new(HostMessage.Ready, Environment.ProcessId)
    {
        Listening = [.. _listening.Select(l => Bound(l.Address, l.Options).ToString())],
        Addresses =
            [.. _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses ?? []],
        CertificateFingerprint = _certificate?.GetCertHashString(HashAlgorithmName.SHA256),
    };

    private static EndpointAddress Bound(EndpointAddress address, ListenOptions options) =>
        address.Kind == EndpointKind.Tcp
            ? address with { Value = options.IPEndPoint!.Port.ToString(CultureInfo.InvariantCulture) }
            : address;
}
