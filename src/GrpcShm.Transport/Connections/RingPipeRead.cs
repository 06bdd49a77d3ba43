using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Connections;

/// <summary>The reads of a <see cref="RingPipeReader"/>.</summary>
internal sealed class RingPipeRead : SignaledOperation<ReadResult>
{
    private readonly SharedMemoryConnection _connection;
    private readonly ReceivingEnd _inbound;
    private readonly RingMemory _memory;
    private readonly long _maxUnconsumed;

    // A reader sees private copies first, if there are any, and then up to two pieces of the ring.
    private readonly RingSegment _ringFirst = new();
    private readonly RingSegment _ringSecond = new();
    private RingSegment? _copiesFirst;
    private RingSegment? _copiesLast;
    private long _consumed;
    private long _examined;
    private bool _isReading;
    private bool _wasCanceled;
    private int _cancelPending;

    public RingPipeRead(SharedMemoryConnection connection, long maxUnconsumed)
    {
        _connection = connection;
        _inbound = connection.Inbound;
        _memory = connection.InboundMemory;
        _maxUnconsumed = maxUnconsumed;
        connection.AttachReceive(this);
    }

    protected override bool MayRunInline => _connection.RunInline;

    protected override IRingTarget? RingTarget => _connection;

    public ValueTask<ReadResult> StartAsync(CancellationToken cancellationToken)
    {
        ThrowIfReading();
        Enter();
        return RunAsync(cancellationToken);
    }

    public bool TryRead(out ReadResult result)
    {
        ThrowIfReading();
        Enter();
        try
        {
            return TryComplete(out result);
        }
        finally
        {
            Leave();
        }
    }

    public void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        Enter();
        try
        {
            if (!_isReading)
            {
                throw new InvalidOperationException(
                    "There is nothing to advance: no read has returned since the last time.");
            }

            var consumedTo = CursorOf(consumed, _consumed);
            var examinedTo = CursorOf(examined, consumedTo);
            if (consumedTo < _consumed || examinedTo < consumedTo || examinedTo > _inbound.Tail)
            {
                throw new InvalidOperationException("The position to advance to is outside of what was read.");
            }

            _isReading = false;
            _consumed = consumedTo;
            _examined = Math.Max(_examined, examinedTo);
            ReturnCopies();
            if (consumedTo > _inbound.Head)
            {
                _inbound.Advance((int)(consumedTo - _inbound.Head));
            }
        }
        finally
        {
            Leave();
        }
    }

    public void CancelPending()
    {
        Volatile.Write(ref _cancelPending, 1);
        Signal(onReactor: false);
    }

    /// <summary>
    /// Says that nothing more will be read, and gives up the memory. A read that waits comes first.
    /// </summary>
    public void Close()
    {
        _isReading = false;
        Seal(Finish);
    }

    /// <summary>
    /// Ends the reading in the reader's place. If the reader may still look at the ring, the mapping is left to the
    /// garbage collector.
    /// </summary>
    public void Abandon() => Seal(Finish);

    protected override bool TryComplete([MaybeNullWhen(false)] out ReadResult result)
    {
        var isCanceled = Volatile.Read(ref _cancelPending) != 0 && Interlocked.Exchange(ref _cancelPending, 0) != 0;
        var ready = _inbound.Refresh(_examined, out var ended);
        if (!ready && !isCanceled)
        {
            result = default;
            return false;
        }

        _isReading = true;
        _wasCanceled = isCanceled;
        result = new ReadResult(BuildSequence(), isCanceled, ended);
        return true;
    }

    protected override void AnnounceWait()
    {
        // A reader that wants more than it consumes must not keep the peer from writing more.
        if (_inbound.Available > _inbound.Capacity / 2 && _examined >= _inbound.Tail)
        {
            CopyOut();
        }

        _inbound.AnnounceSleep();
    }

    private ReadOnlySequence<byte> BuildSequence()
    {
        var ring = _inbound;
        var head = ring.Head;
        var first = ring.ContiguousFrom(head).Length;
        var last = _ringFirst.Set(head, _memory.Memory.Slice(ring.OffsetOf(head), first));
        if (first < ring.Available)
        {
            last = _ringSecond.Set(head + first, _memory.Memory[..(ring.Available - first)]);
            _ringFirst.Following = last;
        }

        var start = _ringFirst;
        if (_copiesLast is { } copies)
        {
            copies.Following = _ringFirst;
            start = _copiesFirst!;
        }

        return new ReadOnlySequence<byte>(
            start, (int)(Math.Max(_consumed, start.Start) - start.Start), last, last.Memory.Length);
    }

    private void CopyOut()
    {
        var ring = _inbound;
        if (ring.Tail - _consumed > _maxUnconsumed)
        {
            var reason = $"The connection's reader has {ring.Tail - _consumed} bytes that it does not consume; at most "
                + $"{_maxUnconsumed} are kept for it.";
            _connection.Abort(new CloseCause(CloseCode.Aborted, reason, ByPeer: false));
            throw new InvalidOperationException(reason);
        }

        var first = ring.ContiguousFrom(ring.Head);
        var second = ring.ContiguousFrom(ring.Head + first.Length)[..(ring.Available - first.Length)];
        var copy = new RingSegment().SetCopy(ring.Head, first, second);
        if (_copiesLast is { } last)
        {
            last.Following = copy;
        }
        else
        {
            _copiesFirst = copy;
        }

        _copiesLast = copy;
        _inbound.Advance(ring.Available);
    }

    private void ReturnCopies()
    {
        while (_copiesFirst is { } copy && copy.End <= _consumed)
        {
            _copiesFirst = copy == _copiesLast ? null : copy.Following;
            copy.Return();
        }

        if (_copiesFirst is null)
        {
            _copiesLast = null;
        }
    }

    private void Finish()
    {
        _inbound.Close();

        // Looked at only when the last read is over: a read that was under way may have ended with a view of the ring,
        // and nobody knows when the reader gives up that view.
        if (!_isReading)
        {
            _consumed = long.MaxValue;
            ReturnCopies();
            _connection.Detach();
        }
    }

    private static long CursorOf(SequencePosition position, long fallback) =>
        position.GetObject() is RingSegment segment ? segment.Start + position.GetInteger() : fallback;

    private void ThrowIfReading()
    {
        // As with a Pipe, a cancelled read need not be advanced.
        if (_isReading && !_wasCanceled)
        {
            throw new InvalidOperationException("The last read has not been advanced yet.");
        }
    }
}
