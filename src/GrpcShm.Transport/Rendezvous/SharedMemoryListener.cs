using System.Threading.Channels;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Rendezvous;

/// <summary>
/// Owns an endpoint's name, and turns the clients that connect to it into connections. Handshakes run beside each other
/// and beside the accepting: a slow or dying client holds up nobody.
/// </summary>
internal sealed partial class SharedMemoryListener : IReactorTarget, IAsyncDisposable
{
    private readonly ListenerSettings _settings;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _logger;
    private readonly RendezvousSocket _socket;
    private readonly CancellationTokenSource _closing = new();
    private readonly PendingHandshakes _handshakes;
    private readonly ListenerLog _log;
    private readonly SpareOffer _spare;

    // Not for a single reader: DisposeAsync empties it while AcceptAsync may still be reading.
    // The caller of AcceptAsync goes on where the handshake has ended: nobody else waits for that thread.
    private readonly Channel<SharedMemoryConnection> _accepted =
        Channel.CreateUnbounded<SharedMemoryConnection>(
            new UnboundedChannelOptions { AllowSynchronousContinuations = true });

    private ReactorRegistration _registration;
    private bool _disposed;

    /// <summary>Takes the name and starts to accept.</summary>
    /// <exception cref="EndPointInUseException">A live process listens on it.</exception>
    /// <exception cref="IOException">The name cannot be taken, or no client could be served; says why.</exception>
    public SharedMemoryListener(
        SharedMemoryEndPoint endPoint, ListenerSettings settings, TransportMetrics metrics, ILogger logger)
    {
        EndPoint = endPoint;
        _settings = settings;
        _metrics = metrics;
        _logger = logger;
        _handshakes = new PendingHandshakes(settings.MaxPendingHandshakes);
        _log = new ListenerLog(endPoint, metrics, logger);
        _spare = new SpareOffer(settings.RingSize);
        ProveThatClientsCanBeServed(endPoint);
        _socket = TransportPlatform.Current.Listen(endPoint, settings.Rendezvous);
        try
        {
            _registration = ProcessReactors.Next().Register(_socket.Source, this);
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        Log.Listening(_logger, endPoint);
        if (_socket.Remark is { } remark)
        {
            Log.NameRemark(_logger, remark.IsWarning ? LogLevel.Warning : LogLevel.Information, endPoint, remark.Text);
        }
    }

    public SharedMemoryEndPoint EndPoint { get; }

    public ILogger Logger => _logger;

    /// <summary>True if the memory for the next client has been made already.</summary>
    public bool HasSpare => _spare.IsReady;

    /// <summary>Waits for the next connection.</summary>
    /// <returns>The connection, which the caller owns, or <see langword="null"/> when the listener is closed.</returns>
    public async ValueTask<SharedMemoryConnection?> AcceptAsync(CancellationToken cancellationToken)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_accepted.Reader.TryRead(out var connection))
            {
                return connection;
            }
        }

        return null;
    }

    /// <inheritdoc cref="CloseAsync"/>
    public ValueTask DisposeAsync() => CloseAsync(CancellationToken.None);

    /// <summary>Gives the name back at once, then ends the handshakes under way.</summary>
    /// <param name="cancellationToken">Stops waiting for handshakes that do not end.</param>
    public async ValueTask CloseAsync(CancellationToken cancellationToken)
    {
        lock (_acceptGate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _registration.Dispose();
            _socket.Dispose();
        }

        _spare.Dispose();
        await _closing.CancelAsync().ConfigureAwait(false);
        try
        {
            await _handshakes.WhenAllEnded().WaitAsync(_settings.HandshakeTimeout, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            // An AuthorizePeer callback does not return. If it returns later, its connection is disposed: see TryWrite.
        }

        _accepted.Writer.Complete();
        while (_accepted.Reader.TryRead(out var connection))
        {
            CloseUnserved(connection);
        }

        _log.WriteRest();
    }

    /// <summary>Closes a connection that was never served, and tells the client that it can repeat its calls.</summary>
    private static void CloseUnserved(SharedMemoryConnection connection)
    {
        connection.Abort(new CloseCause(CloseCode.NotServed, "The server is closing this endpoint.", ByPeer: false));
        connection.Dispose();
    }

    /// <summary>
    /// Begins the handshake with a client. Under the gate, so that no handshake begins on a closed listener.
    /// </summary>
    /// <returns>The client's channel if too many others are connecting; otherwise none.</returns>
    private ControlChannel? Begin(ControlSocket client)
    {
        var reactor = ProcessReactors.Next();
        var channel = new ControlChannel(client, reactor);
        if (!_handshakes.TryBegin())
        {
            _handshakes.BeginRefusal();
            return channel;
        }

        var start = new HandshakeStart(this, channel, reactor);
        if (_settings.AuthorizePeer is null)
        {
            start.Schedule();
        }
        else
        {
            // The callback may take as long as it likes.
            start.RunOnPool();
        }

        return null;
    }

    private void RefuseBusy(ControlChannel channel)
    {
        try
        {
            Refuse(channel, RefusalCode.Busy, "Too many clients are connecting at the same moment. Try again.");
        }
        finally
        {
            channel.Dispose();
            _handshakes.End();
        }
    }

    private async Task ShakeHandsAsync(ControlChannel channel, Reactor reactor)
    {
        var isAdmitted = false;
        try
        {
            isAdmitted = await TryAdmitAsync(channel, reactor).ConfigureAwait(false);
        }
        finally
        {
            if (!isAdmitted)
            {
                channel.Dispose();
            }

            _handshakes.End();
        }
    }

    /// <returns>True if there is a connection, which then owns the channel.</returns>
    private async Task<bool> TryAdmitAsync(ControlChannel channel, Reactor reactor)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token);
        timeout.CancelAfter(_settings.HandshakeTimeout);
        try
        {
            var parts = await ServerHandshake.RunAsync(channel, reactor, _settings, _spare.TakeAsync, timeout.Token)
                .ConfigureAwait(false);
            var connection = new SharedMemoryConnection(parts, EndPoint, _metrics, _logger, _log.Violations);
            if (!_accepted.Writer.TryWrite(connection))
            {
                CloseUnserved(connection);
            }

            // Last, so that the work that serves the connection is not behind it in the pool's queue.
            _spare.Prepare();

            return true;
        }
        catch (HandshakeException refusal) when (refusal.ByPeer)
        {
            _log.WriteRefusal(channel.Peer, refusal.Code, refusal.Message);
        }
        catch (HandshakeException refusal)
        {
            Refuse(channel, refusal.Code, refusal.Message);
        }
        catch (SharedMemoryProtocolException violation)
        {
            Refuse(channel, RefusalCode.Malformed, violation.Message);
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            Refuse(channel, RefusalCode.Closing, "The server is closing this endpoint.");
        }
        catch (OperationCanceledException)
        {
            Refuse(channel, RefusalCode.TimedOut, $"The handshake took longer than {_settings.HandshakeTimeout}.");
        }
        catch (ReactorFailedException failure)
        {
            Refuse(channel, RefusalCode.Resources, failure.Message);
        }
        catch (IOException exception) when (exception is SharedMemoryResourcesException or PlatformException)
        {
            // The failure is this process's and not the client's: the client is told what the system has refused.
            Refuse(channel, RefusalCode.Resources, exception.Message);
        }
        catch (IOException exception)
        {
            _log.WriteRefusal(channel.Peer, RefusalCode.Gone, $"The client went away: {exception.Message}");
        }
        catch (Exception exception)
        {
            // Foreign code: AuthorizePeer threw. Nobody gets in by that.
            _log.WriteFailure(exception);
            Refuse(channel, RefusalCode.NotAuthorized, "The server could not decide whether to admit the client.");
        }

        return false;
    }

    private void Refuse(ControlChannel channel, RefusalCode code, string reason)
    {
        channel.TrySend(ControlMessage.Write(ControlMessageType.Refusal, (ushort)code, reason));
        _log.WriteRefusal(channel.Peer, code, reason);
    }

    private sealed class HandshakeStart(SharedMemoryListener listener, ControlChannel channel, Reactor reactor)
        : ReactorWork
    {
        public override RunProfile Profile => HandshakeStep.Steps;

        public override void Run() => _ = listener.ShakeHandsAsync(channel, reactor);
    }
}
