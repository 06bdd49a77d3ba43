using System.Globalization;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;
using Microsoft.Extensions.Logging;

namespace GrpcShm.Transport.Connections;

/// <summary>
/// A connection between two processes: two rings, two doorbells, and the control socket, which ends with the peer. Its
/// bytes are read and written by the objects that are made on it: a <see cref="RingStream"/>, or a
/// <see cref="RingPipeReader"/> with a <see cref="RingPipeWriter"/>.
/// </summary>
internal sealed partial class SharedMemoryConnection : IRingTarget, IDisposable
{
    private static long s_lastId;

    private readonly ControlChannel _control;
    private readonly SharedSegment _segment;
    private readonly Doorbell _ownDoorbell;
    private readonly Doorbell _peerDoorbell;
    private readonly Reactor _reactor;
    private readonly ReactorRegistration _doorbellRegistration;
    private readonly TransportMetrics _metrics;
    private readonly ILogger _logger;
    private readonly RepeatedLines _violations;
    private long _bytesReported;
    private ISignaledOperation? _receive;
    private ISignaledOperation? _send;

    /// <summary>Puts a connection together and starts to watch the peer.</summary>
    /// <param name="parts">The result of the handshake.</param>
    /// <param name="endPoint">The endpoint that it belongs to.</param>
    /// <param name="metrics">The metrics that count it.</param>
    /// <param name="logger">The logger for its beginning and its end.</param>
    /// <param name="violations">Sums up the lines on peers that break rules, over all connections of the
    /// endpoint.</param>
    /// <exception cref="IOException">The system lacks a resource; the parts have been disposed of.</exception>
    public SharedMemoryConnection(
        ConnectionParts parts,
        SharedMemoryEndPoint endPoint,
        TransportMetrics metrics,
        ILogger logger,
        RepeatedLines? violations = null)
    {
        _violations = violations ?? new RepeatedLines();
        Role = parts.Role;
        Mode = parts.Mode;
        MaxCalls = parts.MaxCalls;
        HasChecksums = parts.Features.HasFlag(ConnectionFeatures.Checksums);
        SpeaksHttp2Alone = parts.Features.HasFlag(ConnectionFeatures.Http2Alone);
        EndPoint = endPoint;
        Id = string.Create(
            CultureInfo.InvariantCulture, $"shm-{Environment.ProcessId}-{Interlocked.Increment(ref s_lastId)}");
        _control = parts.Control;
        _segment = parts.Segment;
        _ownDoorbell = parts.OwnDoorbell;
        _peerDoorbell = parts.PeerDoorbell;
        _reactor = parts.Reactor;
        _metrics = metrics;
        _logger = logger;
        Inbound = new ReceivingEnd(this, _segment.CreateConsumer(Role));
        Outbound = Mode == ConnectionModes.Calls
            ? new FrameSendingEnd(this, _segment.CreateClaimingProducer(Role))
            : new ByteSendingEnd(this, _segment.CreateProducer(Role));
        try
        {
            _doorbellRegistration = parts.Reactor.Register(_ownDoorbell.Source, this);
        }
        catch
        {
            _control.Dispose();
            parts.Release();
            throw;
        }

        // A holder of a lease may still ring, so the doorbell is disposed of together with the memory.
        _segment.OnUnmap(_peerDoorbell.Dispose);
        _metrics.AddConnection(this);
        _control.Monitor();
        WatchPeer();
        FaultPoint.Reach(FaultStep.ConnectionMade);
        Log.Connected(_logger, Id, endPoint, Peer.ProcessId, Peer.User.Id);
    }

    public string Id { get; }

    public ILogger Logger => _logger;

    public ConnectionRole Role { get; }

    public SharedMemoryEndPoint EndPoint { get; }

    public SharedMemoryPeer Peer => _control.Peer;

    public ConnectionCounters Counters { get; } = new();

    public ReceivingEnd Inbound { get; }

    /// <summary>The sending end, which is either for bytes or for frames.</summary>
    public SendingEnd Outbound { get; }

    /// <summary>The sending end of a connection that carries bytes.</summary>
    public ByteSendingEnd OutboundBytes => (ByteSendingEnd)Outbound;

    /// <summary>The sending end of a connection in direct mode.</summary>
    public FrameSendingEnd OutboundFrames => (FrameSendingEnd)Outbound;

    /// <summary>Whether each frame has a checksum, as the handshake agreed; in direct mode.</summary>
    public bool HasChecksums { get; }

    /// <summary>The protocol in the rings.</summary>
    public ConnectionModes Mode { get; }

    /// <summary>Whether the server has said that it speaks HTTP/2 alone.</summary>
    public bool SpeaksHttp2Alone { get; }

    /// <summary>The most calls at once, as the server has said; in direct mode.</summary>
    public int MaxCalls { get; }

    /// <summary>The inbound ring's data, for a reader that works on the ring itself.</summary>
    public RingMemory InboundMemory => _segment.InboundMemory(Role);

    /// <summary>The outbound ring's data, for a writer that works on the ring itself.</summary>
    public RingMemory OutboundMemory => _segment.OutboundMemory(Role);

    /// <summary>
    /// Whether an operation that waited for bytes or space may go on on the reactor's thread. Only for protocol loops
    /// that never block; may be changed while no operation waits.
    /// </summary>
    public bool RunInline { get; set; }

    /// <summary>
    /// Makes the exception for a peer that is gone. May be replaced if a caller expects another type.
    /// </summary>
    public Func<string, Exception?, IOException> CreateResetException { get; set; } =
        static (message, inner) => new IOException(message, inner);

    /// <summary>Makes the exception for a connection that this side has aborted.</summary>
    public Func<string, Exception?, Exception> CreateAbortedException { get; set; } =
        static (message, inner) => new IOException(message, inner);

    /// <summary>Wakes the peer's reactor.</summary>
    /// <remarks>Only with a lease on the segment: the doorbell is disposed of with the last lease.</remarks>
    public void RingPeer()
    {
        _peerDoorbell.Ring();
        FaultPoint.Reach(FaultStep.Rung);
    }

    /// <summary>
    /// Names the operation that reads. The operation has a lease on the memory until it seals itself.
    /// </summary>
    public void AttachReceive(ISignaledOperation operation)
    {
        Lease();
        _receive = operation;
    }

    /// <summary>
    /// Names the operation that writes. The operation has a lease on the memory until it seals itself.
    /// </summary>
    public void AttachSend(ISignaledOperation operation)
    {
        Lease();
        _send = operation;
    }

    /// <summary>Takes a lease on the memory and the doorbell, unless the connection has ended.</summary>
    public bool TryLease() => _segment.TryLease();

    /// <summary>
    /// Gives back the lease of <see cref="AttachReceive"/>, <see cref="AttachSend"/> or <see cref="TryLease"/>.
    /// </summary>
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

    public void OnReactorFailed(ReactorFailedException failure) =>
        Abort(new CloseCause(CloseCode.Aborted, failure.Message, ByPeer: false, failure));

    /// <summary>
    /// Leaves it to the reactor that the calling thread leads to ask for doorbells, see
    /// <see cref="Reactor.TryDeferSleep"/>. Only the connection's own reactor does that: another one does not tell it
    /// when it ends.
    /// </summary>
    /// <returns>Whether the reactor will ask.</returns>
    public bool TryDeferSleep() => Reactor.Running == _reactor && _reactor.TryDeferSleep(this);

    public long TakeProgress()
    {
        var bytes = Volatile.Read(ref Counters.BytesReceived) + Volatile.Read(ref Counters.BytesSent);
        var progress = bytes - _bytesReported;
        _bytesReported = bytes;
        return progress;
    }

    public bool BeginSpin()
    {
        if (_receive is not { IsWaiting: true } || !_segment.TryLease())
        {
            return false;
        }

        Inbound.AnnounceAwake();
        return true;
    }

    public bool Peek() => Inbound.Peek();

    public bool EndSpin()
    {
        try
        {
            // What has come by now is served in the next round, and after that the reactor is here again. The peer need
            // not ring meanwhile.
            if (Inbound.Peek())
            {
                return true;
            }

            // Sets the flag, whatever its value was, and looks again after the fence in it. If the operation's owner
            // sets the flag at the same moment, the owner does the same.
            Inbound.AnnounceSleep();
            return Inbound.Peek();
        }
        finally
        {
            _segment.Release();
        }
    }

    private void Lease() => ObjectDisposedException.ThrowIf(!_segment.TryLease(), this);

    private void SignalAll()
    {
        // An operation that is just being attached is either seen here, or sees the conditions that have been set
        // before.
        Interlocked.MemoryBarrier();
        _receive?.Signal(onReactor: false);
        _send?.Signal(onReactor: false);
    }
}
