using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.AspNetCore.Hosting;
using GrpcShm.AspNetCore.Http2;
using GrpcShm.AspNetCore.Native;
using GrpcShm.AspNetCore.Native.Proof;
using GrpcShm.Transport;
using GrpcShm.Transport.Signaling;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The application of this host, and the options and services that calls in direct mode need.</summary>
internal sealed class DirectApplication
{
    private readonly RunProfileTable _profiles;
    private readonly KestrelInternals _internals;
    private readonly IServiceProvider _services;
    private volatile Func<ServerConnection, ServerCall>? _createCall;

    public DirectApplication(
        IOptions<SharedMemoryTransportOptions> options,
        IOptions<KestrelServerOptions> kestrel,
        ILoggerFactory loggerFactory,
        IMeterFactory meterFactory,
        KestrelInternals internals,
        IServiceProvider services)
    {
        _internals = internals;
        _services = services;
        Scopes = services.GetRequiredService<IServiceScopeFactory>();
        ShowsHttpContexts = services.GetService<IHttpContextAccessor>() is not null;
        Options = options.Value;
        Kestrel = kestrel.Value;
        _profiles = new RunProfileTable(Options.RunMode);
        QueuedRequests = Diagnostics.QueuedRequests.FindCounter(meterFactory);
        Logger = new UnfailingLogger(loggerFactory.CreateLogger(Log.Category));
    }

    public SharedMemoryTransportOptions Options { get; }

    public KestrelServerOptions Kestrel { get; }

    /// <summary>A logger that never throws.</summary>
    public ILogger Logger { get; }

    /// <summary>Makes the contexts that native calls are asked for.</summary>
    public IHttpContextFactory HttpContexts => _services.GetRequiredService<IHttpContextFactory>();

    /// <summary>Makes the scopes of native calls.</summary>
    public IServiceScopeFactory Scopes { get; }

    /// <summary>True if code of the application may ask for the context of the request that it serves.</summary>
    public bool ShowsHttpContexts { get; }

    /// <summary>Kestrel's count of the requests that wait for a thread.</summary>
    public UpDownCounter<long> QueuedRequests { get; }

    /// <summary>The time for time limits. Kestrel has one as well, but it is not public.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>True once the application is known, so that calls can be taken.</summary>
    public bool IsServed => _createCall is not null;

    /// <summary>True if the application is passed to Kestrel through <see cref="DirectServer"/>.</summary>
    public bool StandsBefore { get; set; }

    /// <summary>Says which methods are dispatched natively; nothing before the application is known.</summary>
    public NativeServices? Native { get; private set; }

    /// <summary>Sets the application. Before the server listens.</summary>
    /// <returns>The application that Kestrel has to serve instead.</returns>
    public IHttpApplication<TContext> Serve<TContext>(IHttpApplication<TContext> application)
        where TContext : notnull
    {
        if (Native is null)
        {
            Native = new NativeServices(new(() => Walk(application)), _services, Logger)
            {
                IsOn = Options is { UseNativeDispatch: true, Mode: not SharedMemoryMode.Http2 },
                MakeMethod = new NativeMethods(_services).TryCreate,
            };
            Native.LogAll();
        }

        _createCall = connection => new ServerCall<TContext>(connection, application);
        return new KestrelApplication<TContext>(application, new StaleSchedules(Logger));
    }

    /// <summary>
    /// Takes the application from Kestrel's middleware, unless it has come through <see cref="DirectServer"/>: the
    /// application of the host may have registered another server in its place. Before an endpoint listens.
    /// </summary>
    /// <param name="http">Kestrel's HTTP on that endpoint.</param>
    public void ServeWhatKestrelServes(ConnectionDelegate http)
    {
        if (!StandsBefore)
        {
            _internals.ShowApplication(http, this, nameof(Serve));
        }
    }

    /// <summary>Says on which thread the handlers of a path run. Shared by all connections.</summary>
    public RunProfile ProfileOf(string path) => _profiles.Of(path);

    public ServerCall CreateCall(ServerConnection connection) => _createCall!(connection);

    private PipelineWalk Walk(object application) =>
        !Options.UseNativeDispatch
            ? PipelineWalk.NotPossible("UseNativeDispatch is false")
        : Options.Mode == SharedMemoryMode.Http2
            ? PipelineWalk.NotPossible("Mode is Http2, and native dispatch is a part of direct mode")
        : !_internals.AreReadable || !RuntimeFeature.IsDynamicCodeSupported
            ? PipelineWalk.NotPossible("the middleware of this application cannot be read")
            : PipelineWalk.Through(application, typeof(IHttpApplication<>).Assembly.GetName().Version?.Major ?? 0);
}
