using System.Net.Sockets;
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
    // The first pause between attempts while there is no server: short enough that nobody notices it, and long enough
    // that the attempts cost nothing.
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(50);

    private readonly SharedMemoryEndPoint _endPoint;
    private readonly ConnectSettings _settings;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _logger;
    private readonly RepeatedLines _violations = new();

    public SharedMemoryConnector(
        SharedMemoryEndPoint endPoint, ConnectSettings settings, TransportMetrics metrics, ILogger logger)
    {
        _endPoint = endPoint;
        _settings = settings;
        _metrics = metrics;
        _logger = logger;
    }

    /// <summary>Connects, and waits for a server as long as the settings say.</summary>
    /// <exception cref="IOException">
    /// There is no server, or it refuses, or the handshake fails; the message says why.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<SharedMemoryConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        var giveUpAt = TimeProvider.System.GetTimestamp() + ToTimestamp(_settings.WaitForServer);
        var pause = FirstPause;
        while (true)
        {
            IOException failure;
            if (TransportPlatform.Current.Connect(_endPoint, _settings.Directory, out var lookedAt) is { } socket)
            {
                try
                {
                    return await ShakeHandsAsync(socket, cancellationToken).ConfigureAwait(false);
                }
                catch (IOException transient)
                    when (transient is HandshakeException { IsTransient: true } or EndOfStreamException)
                {
                    // An EndOfStreamException means that the server went away while this client was in its queue.
                    failure = transient;
                }
            }
            else
            {
                failure = NoServer(lookedAt);
            }

            if (TimeProvider.System.GetTimestamp() >= giveUpAt)
            {
                throw failure;
            }

            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
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
                throw new IOException(
                    $"The server on '{_endPoint}' did not answer within {_settings.ConnectTimeout}.",
                    new SocketException((int)SocketError.TimedOut));
            }

            if (exception is HandshakeException refusal)
            {
                _metrics.CountRefusedHandshake(refusal.Code, ConnectionRole.Client);
            }

            throw;
        }
    }

    private IOException NoServer(string lookedAt) =>
        new(
            $"No server listens on '{_endPoint}', or too many clients wait for it (looked at {lookedAt}). Start it, "
            + "or set WaitForServer to wait for it.",
            new SocketException((int)SocketError.ConnectionRefused));

    private static long ToTimestamp(TimeSpan time) =>
        (long)(time.TotalSeconds * TimeProvider.System.TimestampFrequency);
}
