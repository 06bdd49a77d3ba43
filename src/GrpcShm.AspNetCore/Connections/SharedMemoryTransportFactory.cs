using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using GrpcShm.AspNetCore.Direct;
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
    private static readonly TimeSpan NamePause = TimeSpan.FromMilliseconds(5);

    private readonly SharedMemoryTransportOptions _options;
    private readonly DirectApplication _application;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _logger;

    public SharedMemoryTransportFactory(
        IOptions<SharedMemoryTransportOptions> options,
        DirectApplication application,
        ILoggerFactory loggerFactory,
        IMeterFactory meterFactory)
    {
        _application = application;
        _options = options.Value;
        _metrics = TransportMetrics.For(meterFactory);
        _logger = new UnfailingLogger(loggerFactory.CreateLogger(Log.Category));
    }

    public bool CanBind(EndPoint endpoint) => endpoint is SharedMemoryEndPoint;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        if (endpoint is not SharedMemoryEndPoint sharedMemory)
        {
            throw new NotSupportedException($"{endpoint} is no shared-memory endpoint.");
        }

        return BindAsync(sharedMemory, cancellationToken);
    }

    private async ValueTask<IConnectionListener> BindAsync(SharedMemoryEndPoint endPoint, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        for (var isWaiting = false; ; isWaiting = true)
        {
            try
            {
                var listener = new SharedMemoryListener(endPoint, CreateSettings(endPoint), _metrics, _logger);
                TellIfDirectModeIsLost(endPoint);
                return new SharedMemoryConnectionListener(listener, _options, _application);
            }
            catch (EndPointInUseException exception)
            {
                if (Stopwatch.GetElapsedTime(started) >= _options.WaitForName)
                {
                    throw new AddressInUseException(exception.Message, exception);
                }

                if (!isWaiting)
                {
                    Diagnostics.Log.WaitingForName(_logger, endPoint, exception.Message, _options.WaitForName);
                }
            }

            // A lock cannot be waited for along with a token. While this one sleeps nobody listens, so it does not sleep long.
            await Task.Delay(NamePause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Says why an endpoint does not have what the options offer.</summary>
    private void TellIfDirectModeIsLost(SharedMemoryEndPoint endPoint)
    {
        if (!_options.OfferDirect)
        {
            return;
        }

        if (DirectEndPoints.WhyNot(endPoint) is { } reason)
        {
            Diagnostics.Log.DirectModeNotOffered(_logger, LogLevel.Information, endPoint, reason);
        }
        else if (!_application.IsServed)
        {
            Diagnostics.Log.DirectModeNotOffered(
                _logger,
                LogLevel.Warning,
                endPoint,
                "the application is not known, since the server was registered after UseSharedMemory, and it does not show the application. "
                + "Call UseSharedMemory after what registers the server, as UseKestrel does");
        }
    }

    private ListenerSettings CreateSettings(SharedMemoryEndPoint endPoint) => new()
    {
        Modes = () => Offered(endPoint),
        SpeaksHttp2Alone = () => DirectEndPoints.SpeaksHttp2Alone(endPoint),
        UseChecksums = _options.UseChecksums,
        Rendezvous = new RendezvousSettings(_options.RuntimeDirectory)
        {
            LinuxModes = new(_options.LinuxRendezvous.DirectoryMode, _options.LinuxRendezvous.SocketMode),
        },
        RingSize = _options.RingSize,
        MaxRingSize = _options.MaxRingSize,
        MaxCalls = _options.MostCalls,
        HandshakeTimeout = _options.HandshakeTimeout,
        MaxPendingHandshakes = _options.MaxPendingHandshakes,
        AuthorizePeer = _options.AuthorizePeer,
    };

    /// <summary>Asked for each client, since what stands between the rings and the protocol may show only with the first.</summary>
    private ConnectionModes Offered(SharedMemoryEndPoint endPoint)
    {
        var http2 = _options.OfferHttp2 ? ConnectionModes.Bytes : ConnectionModes.None;
        if (!_options.OfferDirect || !_application.IsServed)
        {
            return http2;
        }

        return DirectEndPoints.IsAllowed(endPoint) ? http2 | ConnectionModes.Calls : ConnectionModes.Bytes;
    }
}
