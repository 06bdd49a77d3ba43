using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Rendezvous;

/// <summary>Accepts clients, also while the system lacks handles or memory for them.</summary>
internal sealed partial class SharedMemoryListener
{
    private static readonly TimeSpan AcceptRetryDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestRetryDelay = TimeSpan.FromSeconds(10);

    // How many clients are accepted in one turn of the reactor; the rings have their turns in between.
    private const int AcceptsPerTurn = 8;

    private readonly Lock _acceptGate = new();
    private bool _isRetrying;

    // How often the reactor has failed since the last client came.
    private int _reactorFailures;

    public void OnReady(Reactor reactor)
    {
        if (!AcceptSome(isRetry: false))
        {
            reactor.Resume(this);
        }
    }

    public void OnFault(Exception exception)
    {
        // The clients behind the one with which it failed have been reported, and will not be reported again.
        _ = RetryAcceptAsync();
        Log.ListenerFailed(_logger, EndPoint, exception);
    }

    public void OnReactorFailed(ReactorFailedException failure) => _ = RegisterAgainAsync();

    /// <summary>
    /// Makes the memory and the doorbell that a client is given, and gives them back. If a sandbox forbids them, that
    /// shows here, where the person who starts the server sees it, and not with the first client.
    /// </summary>
    private static void ProveThatClientsCanBeServed(SharedMemoryEndPoint endPoint)
    {
        try
        {
            var platform = TransportPlatform.Current;
            var allocation = platform.Allocate(SegmentLayout.TotalSize(RingSizes.Smallest, RingSizes.Smallest));
            using (allocation.Mapping)
            using (allocation.Grant)
            {
                platform.CreateDoorbell().Dispose();
            }
        }
        catch (PlatformException exception)
        {
            throw new IOException(
                $"No client of the endpoint '{endPoint}' could be served. {exception.Message}", exception);
        }
    }

    /// <returns>True if no client was left to accept, or none can be accepted right now.</returns>
    private bool AcceptSome(bool isRetry)
    {
        IOException failure;
        try
        {
            for (var i = 0; i < AcceptsPerTurn; i++)
            {
                if (!TryAccept(isRetry, out var tooMany))
                {
                    return true;
                }

                if (tooMany is not null)
                {
                    RefuseBusy(tooMany);
                }
            }

            return false;
        }
        catch (IOException exception)
        {
            failure = exception;
        }

        lock (_acceptGate)
        {
            if (_disposed || (_isRetrying && !isRetry))
            {
                return true;
            }

            _isRetrying = true;
        }

        // No handles or no memory. The poller has reported the client and will not report it again, so look again by a
        // timer. There is one timer for all clients, which runs only while the shortage lasts. It starts first, since a
        // logger may throw.
        _ = RetryAcceptAsync();
        if (isRetry)
        {
            // The shortage lasts: the clients that wait are told so.
            RefuseSome(failure.Message);
        }
        else
        {
            Log.AcceptFailed(_logger, EndPoint, failure.Message, AcceptRetryDelay);
        }

        return true;
    }

    /// <summary>Accepts a client, and begins its handshake.</summary>
    /// <param name="isRetry">True if the timer asks.</param>
    /// <param name="tooMany">
    /// The channel of a client that cannot be served because too many others connect. The caller has to refuse and to
    /// dispose of it, outside the gate: loggers hear of it.
    /// </param>
    /// <returns>False if there is no client.</returns>
    private bool TryAccept(bool isRetry, out ControlChannel? tooMany)
    {
        lock (_acceptGate)
        {
            if (_disposed || _socket.Accept() is not { } client)
            {
                _isRetrying &= !isRetry;
                tooMany = null;
                return false;
            }

            _reactorFailures = 0;
            tooMany = Begin(client);
            return true;
        }
    }

    private void RefuseSome(string why)
    {
        var reason = $"The server cannot take another connection at present. {why}";
        var message = ControlMessage.Write(ControlMessageType.Refusal, (ushort)RefusalCode.Resources, reason);
        for (var i = 0; i < AcceptsPerTurn; i++)
        {
            SharedMemoryPeer peer;
            lock (_acceptGate)
            {
                if (_disposed || _socket.Refuse(message) is not { } refused)
                {
                    return;
                }

                peer = refused;
                _handshakes.BeginRefusal();
            }

            try
            {
                _log.WriteRefusal(peer, RefusalCode.Resources, reason);
            }
            finally
            {
                _handshakes.End();
            }
        }
    }

    private async Task RetryAcceptAsync()
    {
        try
        {
            await Task.Delay(AcceptRetryDelay, _closing.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return;
        }

        try
        {
            while (!AcceptSome(isRetry: true))
            {
            }
        }
        catch (Exception exception)
        {
            Log.ListenerFailed(_logger, EndPoint, exception);
        }
    }

    /// <summary>Lets a reactor watch the name again: at once, or after a pause if that fails repeatedly.</summary>
    private async Task RegisterAgainAsync()
    {
        while (true)
        {
            var failures = Interlocked.Increment(ref _reactorFailures);
            try
            {
                if (failures > 1)
                {
                    await Task.Delay(PauseAfter(failures - 1), _closing.Token).ConfigureAwait(false);
                }

                lock (_acceptGate)
                {
                    if (!_disposed)
                    {
                        // Clients that have come meanwhile are reported, too.
                        _registration = ProcessReactors.Next().Register(_socket.Source, this);
                    }
                }

                return;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (IOException exception)
            {
                Log.AcceptFailed(_logger, EndPoint, exception.Message, PauseAfter(failures));
            }
        }
    }

    private static TimeSpan PauseAfter(int failures)
    {
        var pause = AcceptRetryDelay * (1 << Math.Min(failures - 1, 10));
        return pause < LongestRetryDelay ? pause : LongestRetryDelay;
    }
}
