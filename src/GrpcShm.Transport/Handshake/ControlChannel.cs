using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Handshake;

/// <summary>
/// The messages over a control socket: first those of the handshake. After it, for the life of the connection, only the
/// peer's farewell and the end of the socket come.
/// </summary>
internal sealed class ControlChannel : SignaledOperation<ControlMessage>, IReactorTarget, IDisposable
{
    // About as long as it takes a server's sleeping thread to wake up and to answer.
    private static readonly long LookTicks = Stopwatch.Frequency / 1_000_000 * 100;

    private static int s_isLooking;

    private readonly ControlSocket _socket;
    private readonly Reactor _reactor;
    private readonly HandshakeStep _step;
    private readonly byte[] _buffer = new byte[ControlMessage.MaxSize];
    private readonly List<SafeHandle> _attachments = [];
    private ReactorRegistration? _registration;
    private long _lookUntil;
    private int _filled;
    private volatile bool _isMonitored;
    private volatile ReactorFailedException? _failure;
    private int _disposeBegun;
    private volatile bool _disposed;

    /// <summary>Takes a socket over.</summary>
    public ControlChannel(ControlSocket socket, Reactor reactor)
    {
        _socket = socket;
        _reactor = reactor;
        _step = new HandshakeStep(this);
    }

    public SharedMemoryPeer Peer => _socket.Peer;

    // During the handshake the reactor is away while the continuation runs, see HandshakeStep. Afterwards the
    // continuation handles the peer's death, which is short and must not wait for a busy thread pool.
    protected override bool MayRunInline => true;

    protected override IRingTarget? RingTarget => null;

    protected override bool HasToAnnounce => false;

    /// <summary>Lets messages be received on the reactor's thread from here on.</summary>
    public void Monitor() => _isMonitored = true;

    /// <summary>
    /// Lets the reactor watch the socket, if it does not do so yet. By the thread that receives, or that could. A
    /// channel that has to wait for its peer calls this by itself.
    /// </summary>
    /// <exception cref="IOException">The system has no room for another socket.</exception>
    public void Watch()
    {
        if (_registration is not null)
        {
            return;
        }

        // Store the registration, fence, load _disposed; Dispose stores _disposed, fences, takes the registration.
        Interlocked.Exchange(ref _registration, _reactor.Register(_socket.Source, this));
        if (_disposed)
        {
            Unwatch();
        }
    }

    /// <summary>
    /// Receives a message that is about to come. It looks for the message for a moment before it waits, unless another
    /// thread does so, since a wake-up takes as long.
    /// </summary>
    /// <inheritdoc cref="ReceiveAsync"/>
    public ValueTask<ControlMessage> ReceiveSoonAsync(CancellationToken cancellationToken)
    {
        Enter();
        if (!_reactor.Waiting.IsEnabled || Interlocked.Exchange(ref s_isLooking, 1) != 0)
        {
            return RunAsync(cancellationToken);
        }

        _lookUntil = Stopwatch.GetTimestamp() + LookTicks;
        var message = RunAsync(cancellationToken);
        Volatile.Write(ref s_isLooking, 0);
        return message;
    }

    /// <summary>Receives the next message.</summary>
    /// <exception cref="EndOfStreamException">The peer closed its end.</exception>
    /// <exception cref="SharedMemoryProtocolException">The bytes that came are no message.</exception>
    /// <exception cref="IOException">The socket failed.</exception>
    public ValueTask<ControlMessage> ReceiveAsync(CancellationToken cancellationToken)
    {
        Enter();
        return RunAsync(cancellationToken);
    }

    /// <exception cref="IOException">The peer is gone, or does not read.</exception>
    public void Send(ReadOnlySpan<byte> message, params ReadOnlySpan<SafeHandle> attachments) =>
        _socket.Send(message, attachments);

    /// <summary>Sends a last message to a peer that may be gone already.</summary>
    public void TrySend(ReadOnlySpan<byte> message)
    {
        try
        {
            _socket.Send(message, []);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The peer will see the end of the socket instead, if it is still there.
        }
    }

    public void OnReady(Reactor reactor)
    {
        if (_isMonitored)
        {
            Signal(onReactor: true);
        }
        else
        {
            _step.ScheduleOnce();
        }
    }

    public void OnFault(Exception exception) => Dispose();

    /// <summary>
    /// Ends the present or the next receiving with the failure, since no more messages of the peer would be noticed.
    /// </summary>
    public void OnReactorFailed(ReactorFailedException failure)
    {
        _failure = failure;
        Signal(onReactor: false);
    }

    public void Dispose()
    {
        // Exactly once: of two threads at the same moment the second would find the socket closed.
        if (Interlocked.Exchange(ref _disposeBegun, 1) != 0)
        {
            return;
        }

        _disposed = true;
        Interlocked.MemoryBarrier();
        Unwatch();
        _socket.Shutdown();
        Signal(onReactor: false);
        Seal(() =>
        {
            _socket.Dispose();
            DisposeAttachments();
        });
    }

    protected override void AnnounceWait()
    {
        // The poller says when more bytes come.
    }

    protected override bool TryComplete([MaybeNullWhen(false)] out ControlMessage result)
    {
        while (true)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_failure is { } failure)
            {
                throw new ReactorFailedException(failure);
            }

            var length = ControlMessage.ReadLength(_buffer.AsSpan(0, _filled));
            if (length > 0 && length <= _filled)
            {
                result = ControlMessage.Read(_buffer.AsSpan(0, length), [.. _attachments]);
                _attachments.Clear();
                _buffer.AsSpan(length, _filled - length).CopyTo(_buffer);
                _filled -= length;
                return true;
            }

            var received = _socket.Receive(_buffer.AsSpan(_filled), _attachments);
            if (received < 0)
            {
                if (_lookUntil != 0 && Stopwatch.GetTimestamp() < _lookUntil)
                {
                    Thread.Yield();
                    continue;
                }

                _lookUntil = 0;

                // Bytes that come between the look and this call are reported as well.
                Watch();
                result = null;
                return false;
            }

            if (received == 0)
            {
                throw new EndOfStreamException("The peer closed its end.");
            }

            _filled += received;
            if (_attachments.Count > ServerHello.AttachmentCount)
            {
                throw new SharedMemoryProtocolException("The peer sent more handles than any message has.");
            }
        }
    }

    private void Unwatch() => Interlocked.Exchange(ref _registration, null)?.Dispose();

    private void DisposeAttachments()
    {
        foreach (var attachment in _attachments)
        {
            attachment.Dispose();
        }
    }
}
