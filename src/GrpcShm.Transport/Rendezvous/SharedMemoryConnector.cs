using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Rendezvous;

/// <summary>Connects to endpoints.</summary>
internal sealed class SharedMemoryConnector
{
    private readonly SharedMemoryEndPoint _endPoint;
    private readonly ConnectSettings _settings;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _logger;
    private readonly RepeatedLines _violations = new();
    private readonly RecentReason _reason = new(TimeProvider.System);

    public SharedMemoryConnector(
        SharedMemoryEndPoint endPoint, ConnectSettings settings, TransportMetrics metrics, ILogger logger)
    {
        _endPoint = endPoint;
        _settings = settings;
        _metrics = metrics;
        _logger = logger;
    }

    /// <summary>
    /// True if a connection failed since there is no server that takes it at present, so that a later attempt may
    /// succeed: none listens, it stops, or it does not answer.
    /// </summary>
    public static bool MayBecomeReady(Exception exception) => IsTransient(exception) || exception is NoServerException;

    /// <summary>
    /// True if an exception, or one within it, says that an attempt to connect found no server that takes connections.
    /// </summary>
    public static bool IsForLackOfServer(Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            if (cause is NoServerException or HandshakeException { IsTransient: true })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Connects, and waits for a server as long as the settings say.</summary>
    /// <exception cref="IOException">
    /// There is no server, or it refuses, or the handshake fails; the message says why.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<SharedMemoryConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var giveUpAt = TimeProvider.System.GetTimestamp() + ToTimestamp(_settings.WaitForServer);
        var pause = new ConnectPause();
        while (true)
        {
            IOException failure;
            if (TransportPlatform.Current.Connect(_endPoint, _settings.Directory, out var absence) is { } socket)
            {
                try
                {
                    return await ShakeHandsAsync(socket, cancellationToken).ConfigureAwait(false);
                }
                catch (IOException transient) when (IsTransient(transient))
                {
                    failure = transient;
                }
            }
            else
            {
                failure = new NoServerException(_endPoint, absence!, _reason);
            }

            if (TimeProvider.System.GetTimestamp() >= giveUpAt)
            {
                throw failure;
            }

            await pause.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<SharedMemoryConnection> ShakeHandsAsync(
        ControlSocket socket, CancellationToken cancellationToken)
    {
        Reactor reactor;
        ControlChannel channel;
        try
        {
            reactor = ProcessReactors.Next();
            channel = new ControlChannel(socket, reactor);
        }
        catch
        {
            socket.Dispose();
            throw;
        }

        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_settings.ConnectTimeout);
        try
        {
            var parts =
                await ClientHandshake.RunAsync(channel, reactor, _settings, timeout.Token).ConfigureAwait(false);
            return new SharedMemoryConnection(parts, _endPoint, _metrics, _logger, _violations);
        }
        catch (Exception exception)
        {
            channel.Dispose();
            if (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                _metrics.CountRefusedHandshake(RefusalCode.TimedOut, ConnectionRole.Client);
                throw new NoServerException(_endPoint, _settings.ConnectTimeout);
            }

            if (exception is HandshakeException refusal)
            {
                _metrics.CountRefusedHandshake(refusal.Code, ConnectionRole.Client);
            }

            throw;
        }
    }

    // An EndOfStreamException means that the server went away while this client was in its queue.
    private static bool IsTransient(Exception exception) =>
        exception is NoServerException { IsSilent: false }
            or HandshakeException { IsTransient: true }
            or EndOfStreamException;

    private static long ToTimestamp(TimeSpan time) =>
        (long)(time.TotalSeconds * TimeProvider.System.TimestampFrequency);
}
