using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// How a connection ends: the first cause wins, everything that waits ends, and both sides log the same.
/// </summary>
internal sealed partial class SharedMemoryConnection
{
    private readonly CancellationTokenSource _closed = new();
    private CloseCause? _cause;
    private CloseCause? _peerFarewell;
    private volatile bool _peerIsGone;
    private volatile bool _isClosed;
    private int _closedFired;
    private int _disposed;

    /// <summary>Fires on the thread pool when the peer is gone or this side has closed the connection.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Why the connection ended, if it has.</summary>
    public CloseCause? Cause => Volatile.Read(ref _cause);

    /// <summary>Whether this side has ended the connection.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Whether the peer has gone, in any way: its end of the control socket is closed.</summary>
    public bool PeerIsGone => _peerIsGone;

    /// <summary>Ends the connection and all operations under way. Any thread, any number of times.</summary>
    public void Abort(CloseCause cause)
    {
        var first = TrySetCause(cause);
        _isClosed = true;
        FaultPoint.Reach(FaultStep.Closing);
        if (first)
        {
            _control.TrySend(ControlMessage.Write(ControlMessageType.Close, (ushort)cause.Code, cause.Reason));
            FaultPoint.Reach(FaultStep.FarewellSent);
        }

        _control.Dispose();
        FaultPoint.Reach(FaultStep.SocketClosed);
        SignalAll();
        FireClosed();
    }

    /// <summary>
    /// Closes the connection. The peer can still read bytes that have been published before, by its own mapping.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        Abort(new CloseCause(CloseCode.Graceful, "The connection was closed.", ByPeer: false));
        _doorbellRegistration.Dispose();
        _ownDoorbell.Dispose();
        _metrics.RemoveConnection(this);
        _segment.Release();

        // This is the last step, since a logger is foreign code and may throw.
        Log.Disconnected(
            _logger, Id, _cause!.Code, _cause.ByPeer ? "peer" : "this side", _cause.Reason, _cause.Exception);
    }

    /// <summary>Ends an operation of a connection that this side has ended.</summary>
    /// <exception cref="IOException">The connection has been aborted. If the abort had its own exception, that one is
    /// thrown.</exception>
    /// <exception cref="ObjectDisposedException">The connection has been closed.</exception>
    public void ThrowIfClosed()
    {
        if (_isClosed)
        {
            ThrowClosed();
        }
    }

    /// <summary>Makes the exception for an operation that needs a peer which is gone.</summary>
    public IOException CreatePeerFailure()
    {
        var cause = _cause ?? _peerFarewell;
        return CreateResetException(cause?.Reason ?? "The peer aborted the connection.", cause?.Exception);
    }

    /// <summary>Ends the connection because the peer broke a rule.</summary>
    public void AbortForViolation(SharedMemoryProtocolException violation)
    {
        Abort(new CloseCause(CloseCode.Protocol, violation.Message, ByPeer: false, violation));
        _metrics.CountCutOff(isCorruption: HasChecksums && violation.IsCorruption, Role);
        if (_violations.Next(out var leftOut))
        {
            if (leftOut > 0)
            {
                Log.LinesLeftOut(_logger, EndPoint, nameof(Log.ProtocolViolation), leftOut);
            }

            Log.ProtocolViolation(_logger, Id, violation.Message);
        }
    }

    /// <summary>
    /// Watches the peer as long as the connection lasts. Meanwhile it keeps alive nothing of the context in which the
    /// connection was made.
    /// </summary>
    private void WatchPeer()
    {
        using (ExecutionContext.SuppressFlow())
        {
            _ = WatchPeerAsync();
        }
    }

    private async Task WatchPeerAsync()
    {
        try
        {
            while (true)
            {
                using var message = await _control.ReceiveAsync(CancellationToken.None).ConfigureAwait(false);
                if (message.Type is not (ControlMessageType.Close or ControlMessageType.Refusal)
                    || message.Attachments.Count > 0
                    || _peerFarewell is not null)
                {
                    throw new SharedMemoryProtocolException(
                        $"The peer sent a message of type {(ushort)message.Type} with {message.Attachments.Count} "
                        + "handles where only one farewell without handles is allowed.");
                }

                // A server sends a refusal if it gave up waiting for the ready message while that was on its way.
                var (code, text) = message.ReadCodeAndText();
                _peerFarewell = new CloseCause(
                    message.Type == ControlMessageType.Close ? (CloseCode)code : CloseCode.NotServed,
                    text,
                    ByPeer: true);
            }
        }
        catch (SharedMemoryProtocolException violation)
        {
            AbortForViolation(violation);
        }
        catch (ReactorFailedException failure)
        {
            OnReactorFailed(failure);
        }
        catch (SharedMemoryResourcesException)
        {
            AbortForViolation(new SharedMemoryProtocolException("The peer sent handles where none are allowed."));
        }
        catch (ObjectDisposedException)
        {
            // This side has ended the connection first.
        }
        catch (IOException)
        {
            // When the socket ends, the peer has ended. The bytes that it published before can still be read.
            TrySetCause(_peerFarewell ?? new CloseCause(
                CloseCode.PeerGone,
                $"The peer process {Peer.ProcessId} ended without closing the connection.",
                ByPeer: true));
            _peerIsGone = true;
            SignalAll();
            FireClosed();
        }
    }

    private bool TrySetCause(CloseCause cause) => Interlocked.CompareExchange(ref _cause, cause, null) is null;

    private void FireClosed()
    {
        // On the pool: cancellation runs foreign code, and this may be the reactor's thread.
        if (Interlocked.Exchange(ref _closedFired, 1) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static connection => connection.CancelClosed(), this, preferLocal: false);
        }
    }

    private void CancelClosed()
    {
        try
        {
            _closed.Cancel();
        }
        catch (AggregateException exception)
        {
            // A callback that throws is a bug of its owner; on the pool the exception would end the process.
            Log.CallbackFailed(_logger, Id, exception);
        }
    }

    private void ThrowClosed()
    {
        ObjectDisposedException.ThrowIf(_disposed != 0, this);

        // Always an exception that gRPC takes for the loss of a connection, and a new object: several threads may throw
        // it.
        throw CreateAbortedException(_cause!.Reason, _cause.Exception);
    }
}
