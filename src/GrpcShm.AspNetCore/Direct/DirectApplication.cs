using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Signaling;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>The application of this host, as far as calls in direct mode need it.</summary>
internal sealed class DirectApplication
{
    private readonly RunProfileTable _profiles;
    private volatile Func<ServerConnection, ServerCall>? _createCall;

    public DirectApplication(
        IOptions<SharedMemoryTransportOptions> options,
        IOptions<KestrelServerOptions> kestrel,
        ILoggerFactory loggerFactory)
    {
        Options = options.Value;
        Kestrel = kestrel.Value;
        _profiles = new RunProfileTable(Options.RunMode);
        Logger = new UnfailingLogger(loggerFactory.CreateLogger(Log.Category));
    }

    public SharedMemoryTransportOptions Options { get; }

    public KestrelServerOptions Kestrel { get; }

    /// <summary>Never throws.</summary>
    public ILogger Logger { get; }

    /// <summary>What time limits go by. Kestrel has the same, and shows it to nobody.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Whether the application is known, so that calls can be taken.</summary>
    public bool IsServed => _createCall is not null;

    /// <summary>Names the application. Before the server listens.</summary>
    public void Serve<TContext>(IHttpApplication<TContext> application)
        where TContext : notnull =>
        _createCall = connection => new ServerCall<TContext>(connection, application);

    /// <summary>What is known of the calls of a path. Shared by all connections.</summary>
    public RunProfile ProfileOf(string path) => _profiles.Of(path);

    public ServerCall CreateCall(ServerConnection connection) => _createCall!(connection);
}
