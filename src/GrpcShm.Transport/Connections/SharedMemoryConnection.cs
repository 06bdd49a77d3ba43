using System.Globalization;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// A connection between two processes: two rings, two doorbells, and the control socket whose end is the peer's end.
/// How its bytes are read and written is decided by what is made on it: a <see cref="RingStream"/>, or a
/// <see cref="RingPipeReader"/> with a <see cref="RingPipeWriter"/>.
/// </summary>
internal sealed partial class SharedMemoryConnection : IRingTarget, IDisposable
{
    private static long s_lastId;

    private readonly ControlChannel _control;
    private readonly SharedSegment _segment;
    private readonly Doorbell _ownDoorbell;
    private readonly Doorbell _peerDoorbell;
    private readonly ReactorRegistration _doorbellRegistration;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _logger;
    private ISignaledOperation? _receive;
    private ISignaledOperation? _send;

    /// <summary>Puts a connection together and starts to watch the peer.</summary>
    /// <exception cref="IOException">The system lacks something; the parts have been disposed.</exception>
    public SharedMemoryConnection(
        ConnectionParts parts, SharedMemoryEndPoint endPoint, TransportMetrics metrics, ILogger logger)
    {
        Role = parts.Role;
        EndPoint = endPoint;
        Id = string.Create(CultureInfo.InvariantCulture, $"shm-{Environment.ProcessId}-{Interlocked.Increment(ref s_lastId)}");
        _control = parts.Control;
        _segment = parts.Segment;
        _ownDoorbell = parts.OwnDoorbell;
        _peerDoorbell = parts.PeerDoorbell;
        _metrics = metrics;
        _logger = logger;
        Inbound = new InboundRing(this, _segment.CreateConsumer(Role));
        Outbound = new OutboundRing(this, _segment.CreateProducer(Role));
        try
        {
            _doorbellRegistration = parts.Reactor.Register(_ownDoorbell.Handle, this);
        }
        catch
        {
            _control.Dispose();
            _ownDoorbell.Dispose();
            _peerDoorbell.Dispose();
            _segment.Release();
            throw;
        }

        _metrics.ConnectionStarted(this);
        Log.Connected(_logger, Id, endPoint, Peer.ProcessId, Peer.UserId);
        _control.Monitor();
        _ = WatchPeerAsync();
    }

    public string Id { get; }

    public ConnectionRole Role { get; }

    public SharedMemoryEndPoint EndPoint { get; }

    public SharedMemoryPeer Peer => _control.Peer;

    public ConnectionCounters Counters { get; } = new();

    public InboundRing Inbound { get; }

    public OutboundRing Outbound { get; }

    /// <summary>The inbound ring's data, for a reader that works on the ring itself.</summary>
    public RingMemory InboundMemory => _segment.InboundMemory(Role);

    /// <summary>The outbound ring's data, for a writer that works on the ring itself.</summary>
    public RingMemory OutboundMemory => _segment.OutboundMemory(Role);

    /// <summary>
    /// Whether what waits for bytes or space may go on right on the reactor's thread. Only for protocol loops that
    /// never block; may be changed while nothing waits.
    /// </summary>
    public bool RunInline { get; set; }

    /// <summary>Makes the exception for a peer that is gone, where a caller expects one of its own.</summary>
    public Func<string, Exception?, IOException> CreateResetException { get; set; } =
        static (message, inner) => new IOException(message, inner);

    /// <summary>Wakes the peer's reactor.</summary>
    public void RingPeer()
    {
        try
        {
            _peerDoorbell.Ring();
        }
        catch (ObjectDisposedException)
        {
            // Closed by this side meanwhile, or before its reader and writer were completed. The peer sees the end of
            // the socket instead; and on the reactor's thread nobody would catch this.
        }
    }

    /// <summary>
    /// Names the operation that reads. It has a lease on the memory until it is sealed, which is left to it.
    /// </summary>
    public void AttachReceive(ISignaledOperation operation)
    {
        Lease();
        _receive = operation;
    }

    /// <summary>Names the operation that writes. It has a lease on the memory until it is sealed, which is left to it.</summary>
    public void AttachSend(ISignaledOperation operation)
    {
        Lease();
        _send = operation;
    }

    /// <summary>Gives back what <see cref="AttachReceive"/> or <see cref="AttachSend"/> took.</summary>
    public void Detach() => _segment.Release();

    public void OnReady(Reactor reactor)
    {
        if (!_segment.TryLease())
        {
            return;
        }

        try
        {
            _receive?.Signal(onReactor: true);
            _send?.Signal(onReactor: true);
        }
        finally
        {
            _segment.Release();
        }
    }

    public void OnFault(Exception exception) =>
        Abort(new CloseCause(CloseCode.Aborted, "The connection's owner failed.", ByPeer: false, exception));

    public bool BeginSpin()
    {
        if (_receive is not { IsWaiting: true } || !_segment.TryLease())
        {
            return false;
        }

        Inbound.Ring.AnnounceAwake();
        return true;
    }

    public bool Peek() => Inbound.Ring.Peek();

    public bool EndSpin()
    {
        // Sets the flag whatever it was, and looks after the fence in it. If the operation's owner sets it at the same
        // moment, it does the same.
        if (Inbound.Ring.AnnounceSleep())
        {
            RingPeer();
        }

        var found = Inbound.Ring.Peek();
        _segment.Release();
        return found;
    }

    private void Lease() => ObjectDisposedException.ThrowIf(!_segment.TryLease(), this);

    private void SignalAll()
    {
        _receive?.Signal(onReactor: false);
        _send?.Signal(onReactor: false);
    }
}
