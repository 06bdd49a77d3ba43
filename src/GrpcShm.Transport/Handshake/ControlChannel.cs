using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Handshake;

/// <summary>
/// The messages over a control socket: first the handshake's, then, for the life of the connection, nothing but the
/// peer's farewell and the end of the socket.
/// </summary>
internal sealed class ControlChannel : SignaledOperation<ControlMessage>, IReactorTarget, IDisposable
{
    // About what it takes to wake a thread of a server that sleeps, and that to answer.
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

    // During the handshake the reactor is away meanwhile, see HandshakeStep. Afterwards what follows is the news of the
    // peer's death, which is short and must not wait for a busy thread pool.
    protected override bool MayRunInline => true;

    protected override IRingTarget? RingTarget => null;

    protected override bool HasToAnnounce => false;

    /// <summary>From here on the messages are received on the reactor's thread.</summary>
    public void Monitor() => _isMonitored = true;

    /// <summary>
    /// Lets the reactor watch the socket, if it does not yet. By the one who receives, or who would: a channel that
    /// first has to wait for its peer does it by itself.
    /// </summary>
    /// <exception cref="IOException">The system has no room for another.</exception>
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
    /// Receives a message that is about to come: looks for it for a moment before it waits, if nobody else does so,
    /// since to be woken takes as long.
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
    /// <exception cref="SharedMemoryProtocolException">What came is no message.</exception>
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
            // The peer will see the end of the socket instead, if it still sees anything.
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

    /// <summary>Nothing more would be heard of the peer: who receives, now or next, is told so.</summary>
    public void OnReactorFailed(ReactorFailedException failure)
    {
        _failure = failure;
        Signal(onReactor: false);
    }

    public void Dispose()
    {
        // Once, and not just mostly once: the second of two at the same moment would find the socket closed.
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
        // The poller says when there is more.
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

                // What comes between the look and this is reported as well.
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
