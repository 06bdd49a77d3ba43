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
        if (endpoint is not SharedMemoryEndPoint { Plain: var sharedMemory })
        {
            throw new NotSupportedException(
                $"The shared-memory transport cannot listen on {endpoint}, which is not a shared-memory endpoint.");
        }

        CheckMode(sharedMemory);
        return BindAsync(sharedMemory, cancellationToken);
    }

    private async ValueTask<IConnectionListener> BindAsync(
        SharedMemoryEndPoint endPoint, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        for (var isWaiting = false; ; isWaiting = true)
        {
            try
            {
                // Only the first attempt may block this thread for a process that cleans up. Without that wait an
                // attempt can at worst find the name in use, and there are more attempts.
                var settings = CreateSettings(endPoint);
                if (isWaiting)
                {
                    settings = settings with
                    {
                        Rendezvous = settings.Rendezvous with { LongestCleaningWait = TimeSpan.Zero },
                    };
                }

                var listener = new SharedMemoryListener(endPoint, settings, _metrics, _logger);
                LogIfDirectModeIsLost(endPoint);
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
                    Diagnostics.Log.WaitingForName(
                        _application.Logger, endPoint, exception.Message, _options.WaitForName);
                }
            }

            // A file lock cannot be awaited together with a token, so it is tried again and again. Between two attempts
            // nobody may be listening, so the pause is short.
            await Task.Delay(NamePause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Logs why an endpoint offers no direct mode, if the options do.</summary>
    private void LogIfDirectModeIsLost(SharedMemoryEndPoint endPoint)
    {
        if (_options.Mode == SharedMemoryMode.Auto && WhyNotDirect(endPoint, out var isMistake) is { } reason)
        {
            var level = isMistake ? LogLevel.Warning : LogLevel.Information;
            Diagnostics.Log.DirectModeNotOffered(_application.Logger, level, endPoint, reason);
        }
    }

    /// <summary>Refuses an endpoint that could offer none of the protocols of the options to its clients.</summary>
    private void CheckMode(SharedMemoryEndPoint endPoint)
    {
        if (_options.Mode == SharedMemoryMode.Direct && WhyNotDirect(endPoint, out _) is { } reason)
        {
            throw new InvalidOperationException(
                $"'{endPoint}' cannot offer direct mode, since {reason}, and SharedMemoryTransportOptions.Mode is "
                + "Direct. Change the endpoint, or set Mode to Auto or Http2.");
        }
    }

    /// <summary>Says why an endpoint cannot offer direct mode; nothing if it can offer it.</summary>
    private string? WhyNotDirect(SharedMemoryEndPoint endPoint, out bool isMistake)
    {
        var reason = DirectEndPoints.WhyNot(endPoint);
        isMistake = reason is null && !_application.IsServed;
        return isMistake
            ? "the application is not known: the server was registered after UseSharedMemory was called, and does not "
                + "show its application. Call UseSharedMemory after UseKestrel, or whatever registers the server"
            : reason;
    }

    private ListenerSettings CreateSettings(SharedMemoryEndPoint endPoint) => new()
    {
        Modes = () => ModesOf(endPoint),
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

    /// <summary>
    /// The modes that a client is offered. Asked for each client, since middleware that wraps the transport may be
    /// noticed only with the first connection.
    /// </summary>
    private ConnectionModes ModesOf(SharedMemoryEndPoint endPoint)
    {
        var http2 = _options.Mode == SharedMemoryMode.Direct ? ConnectionModes.None : ConnectionModes.Bytes;
        return _options.Mode != SharedMemoryMode.Http2 && WhyNotDirect(endPoint, out _) is null
            ? http2 | ConnectionModes.Calls
            : http2;
    }
}
