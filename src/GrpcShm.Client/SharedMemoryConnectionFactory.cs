using System.Diagnostics.Metrics;
using GrpcShm.Client.Http;
using GrpcShm.Client.Http2;
using GrpcShm.Transport;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Rendezvous;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcShm.Client;

/// <summary>
/// Connects a <see cref="SocketsHttpHandler"/> to a shared-memory endpoint: the value of its
/// <see cref="SocketsHttpHandler.ConnectCallback"/> is <see cref="ConnectAsync"/>.
/// </summary>
/// <remarks>
/// If you need no <see cref="SocketsHttpHandler"/> of your own, <see cref="SharedMemoryChannel"/> is better: it has
/// direct mode, and over HTTP/2 it ends each write with its call, which <see cref="SocketsHttpHandler"/> by itself does
/// not always do.
/// </remarks>
/// <example>
/// <code>
/// var handler = new SocketsHttpHandler { ConnectCallback = new SharedMemoryConnectionFactory("orders").ConnectAsync };
/// using var channel = GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions { HttpHandler = handler });
/// </code>
/// </example>
public sealed class SharedMemoryConnectionFactory
{
    private readonly ConnectSettings _settings;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _logger;
    private readonly SharedMemoryConnector _connector;

    /// <summary>Creates a factory with default options.</summary>
    /// <param name="address">The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>.</param>
    /// <exception cref="ArgumentException"><paramref name="address"/> is none of these.</exception>
    public SharedMemoryConnectionFactory(string address)
        : this(address, new SharedMemoryClientOptions())
    {
    }

    /// <summary>Creates a factory.</summary>
    /// <param name="address">The endpoint: <c>name</c>, <c>shm:name</c> or <c>shm:///absolute/path.sock</c>.</param>
    /// <param name="options">How to connect. Read here and now; later changes have no effect.</param>
    /// <exception cref="ArgumentException"><paramref name="address"/> is none of these.</exception>
    public SharedMemoryConnectionFactory(string address, SharedMemoryClientOptions options)
        : this(address, options, loggerFactory: null, meterFactory: null)
    {
    }

    internal SharedMemoryConnectionFactory(
        string address, SharedMemoryClientOptions options, ILoggerFactory? loggerFactory, IMeterFactory? meterFactory)
    {
        ArgumentNullException.ThrowIfNull(options);
        EndPoint = new SharedMemoryEndPoint(address);
        _settings = new ConnectSettings
        {
            Directory = options.RuntimeDirectory,
            RingSize = options.RingSize,
            UseChecksums = options.UseChecksums,
            ConnectTimeout = options.ConnectTimeout,
            WaitForServer = options.WaitForServer,
            AuthorizeServer = options.AuthorizeServer,
        };
        MeterFactory = options.MeterFactory ?? meterFactory;
        _metrics = TransportMetrics.For(MeterFactory);
        _logger = (options.LoggerFactory ?? loggerFactory) is { } loggers
            ? new UnfailingLogger(loggers.CreateLogger(Log.Category))
            : NullLogger.Instance;
        _connector = CreateConnector(ConnectionModes.Bytes);
    }

    /// <summary>The endpoint that is connected to, whatever host a request names.</summary>
    public SharedMemoryEndPoint EndPoint { get; }

    /// <summary>Makes the meters; nothing for meters of the process.</summary>
    internal IMeterFactory? MeterFactory { get; }

    /// <summary>Makes a new connection.</summary>
    /// <param name="context">The request that needs the connection. It decides whether there will be TLS.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>The connection's bytes. Disposing the stream closes the connection.</returns>
    /// <exception cref="IOException">
    /// No server listens, or the server refuses, or the handshake fails; the message says which, or that of the inner
    /// exception if the request is a gRPC call. gRPC reports <c>Unavailable</c>.
    /// </exception>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was cancelled.</exception>
    /// <exception cref="PlatformNotSupportedException">The transport does not run on this operating system.</exception>
    public async ValueTask<Stream> ConnectAsync(
        SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var request = context.InitialRequestMessage;
        try
        {
            var connecting = GrpcRequests.WaitsForServer(request)
                ? ConnectWhenReadyAsync(cancellationToken)
                : ConnectBytesAsync(cancellationToken);
            return new HandoverStream(await connecting.ConfigureAwait(false), request, ConnectBytesAsync);
        }
        catch (IOException failure) when (GrpcRequests.IsOfCall(request.Content))
        {
            // SocketsHttpHandler repeats the message of this exception, and the status of the call shows both of them,
            // one even twice.
            throw new IOException(CallFailures.Unreachable, failure);
        }
    }

    /// <summary>Makes a new connection, and throws each failure as it is.</summary>
    internal Task<SharedMemoryConnection> ConnectBytesAsync(CancellationToken cancellationToken) =>
        _connector.ConnectAsync(cancellationToken);

    /// <summary>Makes a connector with the same settings that asks for other modes.</summary>
    internal SharedMemoryConnector CreateConnector(ConnectionModes modes) =>
        new(EndPoint, _settings with { Modes = modes }, _metrics, _logger);

    private async Task<SharedMemoryConnection> ConnectWhenReadyAsync(CancellationToken cancellationToken)
    {
        for (var pause = new ConnectPause(); ; await pause.WaitAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                return await ConnectBytesAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (IOException failure) when (SharedMemoryConnector.MayBecomeReady(failure))
            {
                // The request waits until there is a server.
            }
        }
    }
}
