using System.Diagnostics.Metrics;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.AspNetCore.Hosting;
using GrpcShm.AspNetCore.Http2;
using GrpcShm.Transport.Signaling;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The application of this host, as far as calls in direct mode need it.</summary>
internal sealed class DirectApplication
{
    private readonly RunProfileTable _profiles;
    private readonly KestrelInternals _internals;
    private volatile Func<ServerConnection, ServerCall>? _createCall;

    public DirectApplication(
        IOptions<SharedMemoryTransportOptions> options,
        IOptions<KestrelServerOptions> kestrel,
        ILoggerFactory loggerFactory,
        IMeterFactory meterFactory,
        KestrelInternals internals)
    {
        _internals = internals;
        Options = options.Value;
        Kestrel = kestrel.Value;
        _profiles = new RunProfileTable(Options.RunMode);
        QueuedRequests = Diagnostics.QueuedRequests.FindCounter(meterFactory);
        Logger = new UnfailingLogger(loggerFactory.CreateLogger(Log.Category));
    }

    public SharedMemoryTransportOptions Options { get; }

    public KestrelServerOptions Kestrel { get; }

    /// <summary>Never throws.</summary>
    public ILogger Logger { get; }

    /// <summary>Kestrel's count of the requests that wait for a thread.</summary>
    public UpDownCounter<long> QueuedRequests { get; }

    /// <summary>What time limits go by. Kestrel has the same, and shows it to nobody.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Whether the application is known, so that calls can be taken.</summary>
    public bool IsServed => _createCall is not null;

    /// <summary>Whether the application passes here on its way to Kestrel.</summary>
    public bool StandsBefore { get; set; }

    /// <summary>Names the application. Before the server listens.</summary>
    /// <returns>What Kestrel is to serve in its place.</returns>
    public IHttpApplication<TContext> Serve<TContext>(IHttpApplication<TContext> application)
        where TContext : notnull
    {
        _createCall = connection => new ServerCall<TContext>(connection, application);
        return new KestrelApplication<TContext>(application, new StaleSchedules(Logger));
    }

    /// <summary>
    /// Finds the application where Kestrel has it, unless it has passed here: another server may have been put into the
    /// place of ours, which sees it. Before an endpoint listens.
    /// </summary>
    /// <param name="http">Kestrel's HTTP on that endpoint.</param>
    public void ServeWhatKestrelServes(ConnectionDelegate http)
    {
        if (!StandsBefore)
        {
            _internals.ShowApplication(http, this, nameof(Serve));
        }
    }

    /// <summary>What is known of the calls of a path. Shared by all connections.</summary>
    public RunProfile ProfileOf(string path) => _profiles.Of(path);

    public ServerCall CreateCall(ServerConnection connection) => _createCall!(connection);
}
