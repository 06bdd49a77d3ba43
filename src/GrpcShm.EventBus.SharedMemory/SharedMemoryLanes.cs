using System.Security.Cryptography;
using GrpcShm.Transport;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Rendezvous;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrpcShm.EventBus;

/// <summary>
/// Connects clients of one hub over shared memory: the value of <c>EventBusClientOptions.Lanes</c>. Only processes of
/// the same user connect to each other.
/// </summary>
public sealed class SharedMemoryLanes : EventLaneTransport
{
    // The name of an endpoint has at most 64 characters.
    private const int RandomBytes = 16;

    private readonly TransportMetrics _metrics = TransportMetrics.For(null);

    /// <summary>The directory for the names of the endpoints, the same for all processes that are to connect.</summary>
    /// <remarks>Defaults to <see langword="null"/>: the user's own place on the system.</remarks>
    public string? RuntimeDirectory { get; init; }

    /// <summary>Where connections are logged.</summary>
    /// <remarks>Defaults to <see langword="null"/>: nowhere.</remarks>
    public ILoggerFactory? LoggerFactory { get; init; }

    /// <inheritdoc/>
    /// <exception cref="IOException">The system refuses the endpoint; the message says why.</exception>
    /// <exception cref="PlatformNotSupportedException">
    /// The transport does not run on this operating system.
    /// </exception>
    public override ValueTask<EventLaneListener> ListenAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var name = $"lane-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes))}";
        var settings = new ListenerSettings { Rendezvous = new RendezvousSettings(RuntimeDirectory) };
        var listener = new SharedMemoryListener(new SharedMemoryEndPoint(name), settings, _metrics, MakeLogger());
        return new ValueTask<EventLaneListener>(new SharedMemoryLaneListener(listener));
    }

    /// <inheritdoc/>
    public override async ValueTask<EventLaneConnection> ConnectAsync(
        string address, CancellationToken cancellationToken)
    {
        // No path: another process must not choose which file this one opens.
        if (!SharedMemoryEndPoint.TryParse(address, out var endPoint) || endPoint.IsPath)
        {
            throw new IOException("The other process listens at no endpoint of shared memory.");
        }

        var settings = new ConnectSettings { Directory = RuntimeDirectory };
        var connector = new SharedMemoryConnector(endPoint, settings, _metrics, MakeLogger());
        return new SharedMemoryLaneConnection(
            await connector.ConnectAsync(cancellationToken).ConfigureAwait(false));
    }

    private ILogger MakeLogger() => LoggerFactory is { } loggers
        ? new UnfailingLogger(loggers.CreateLogger(Log.Category))
        : NullLogger.Instance;
}
