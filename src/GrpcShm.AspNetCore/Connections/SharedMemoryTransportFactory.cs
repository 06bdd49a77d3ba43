using System.Diagnostics.Metrics;
using System.Net;
using GrpcShm.Transport;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Rendezvous;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace GrpcShm.AspNetCore.Connections;

/// <summary>Listens on shared-memory endpoints, and leaves all others to other transports.</summary>
internal sealed class SharedMemoryTransportFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SharedMemoryTransportOptions _options;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _logger;

    public SharedMemoryTransportFactory(
        IOptions<SharedMemoryTransportOptions> options, ILoggerFactory loggerFactory, IMeterFactory meterFactory)
    {
        _options = options.Value;
        _metrics = TransportMetrics.For(meterFactory);
        _logger = loggerFactory.CreateLogger(Log.Category);
    }

    public bool CanBind(EndPoint endpoint) => endpoint is SharedMemoryEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (endpoint is not SharedMemoryEndPoint sharedMemory)
        {
            throw new NotSupportedException($"{endpoint} is no shared-memory endpoint.");
        }

        try
        {
            var listener = new SharedMemoryListener(sharedMemory, CreateSettings(), _metrics, _logger);
            return ValueTask.FromResult<IConnectionListener>(new SharedMemoryConnectionListener(listener, _options));
        }
        catch (EndPointInUseException exception)
        {
            throw new AddressInUseException(exception.Message, exception);
        }
    }

    private ListenerSettings CreateSettings() => new()
    {
        Rendezvous = new RendezvousSettings(_options.RuntimeDirectory, _options.DirectoryMode, _options.SocketMode),
        RingSize = _options.RingSize,
        MaxRingSize = _options.MaxRingSize,
        HandshakeTimeout = _options.HandshakeTimeout,
        MaxPendingHandshakes = _options.MaxPendingHandshakes,
        AuthorizePeer = _options.AuthorizePeer,
    };
}
