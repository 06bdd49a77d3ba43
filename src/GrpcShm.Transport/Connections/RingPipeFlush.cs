using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using GrpcShm.Transport.Memory;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Connections;

/// <summary>The writes and flushes of a <see cref="RingPipeWriter"/>.</summary>
internal sealed class RingPipeFlush : SignaledOperation<FlushResult>
{
    private readonly SharedMemoryConnection _connection;
    private readonly ByteSendingEnd _outbound;
    private readonly RingMemory _memory;

    // Once bytes have spilled, all following bytes spill, too, until the ring has taken them: so they stay in order.
    // Memory that has been given and not been advanced over stays the same, too: a writer that asks again, for less,
    // gets the same memory, as with a Pipe. Kestrel's chunks depend on that: Kestrel asks for much memory, lets the
    // application write behind a gap, asks once more, and fills the gap with the chunk's size.
    private readonly SpillBuffer _spill = new();
    private bool _isSpilling;
    private int _given;
    private long _unflushed;
    private bool _holdsRingMemory;
    private bool _isFailed;
    private bool _peerReads = true;
    private int _cancelPending;

    public RingPipeFlush(SharedMemoryConnection connection)
    {
        _connection = connection;
        _outbound = connection.OutboundBytes;
        _memory = connection.OutboundMemory;
        connection.AttachSend(this);
    }

    /// <summary>How many bytes were advanced over since the last flush began, as a Pipe counts them.</summary>
    public long UnflushedBytes => _unflushed;

    protected override bool MayRunInline => _connection.RunInline;

    protected override IRingTarget? RingTarget => null;

    public Memory<byte> GetMemory(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        var wanted = Math.Max(sizeHint, 1);
        var ring = _outbound;
        if (!_isSpilling && ring.Contiguous >= wanted && !IsBusy)
        {
            _given = ring.Contiguous;
            _holdsRingMemory = true;
            return _memory.Memory.Slice(ring.Offset, _given);
        }

        return GetMemorySlow(wanted);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private Memory<byte> GetMemorySlow(int wanted)
    {
        Enter();
        try
        {
            _isSpilling = _isSpilling || !HasRoom(wanted);
            var memory = _isSpilling
                ? _spill.GetMemory(wanted)
                : _memory.Memory.Slice(_outbound.Offset, _outbound.Contiguous);
            _given = memory.Length;
            _holdsRingMemory = !_isSpilling;
            return memory;
        }
        finally
        {
            Leave();
        }
    }

    public void Advance(int bytes)
    {
        if ((uint)bytes > (uint)_given)
        {
            throw new ArgumentOutOfRangeException(
                nameof(bytes),
                bytes,
                $"At most the {_given} bytes of the last GetMemory or GetSpan can have been written.");
        }

        _given -= bytes;
        _unflushed += bytes;
        _holdsRingMemory = false;
        if (_isSpilling)
        {
            AdvanceSpill(bytes);
        }
        else
        {
            _outbound.Commit(bytes);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void AdvanceSpill(int bytes)
    {
        // If the writing has been ended in the writer's place, the spill was dropped, and these bytes are, too. A Pipe
        // whose reader has completed behaves the same way.
        if (TryEnter())
        {
            try
            {
                _spill.Advance(bytes);
            }
            finally
            {
                Leave();
            }
        }
    }

    public ValueTask<FlushResult> StartAsync(CancellationToken cancellationToken)
    {
        Enter();

        // The token is looked at only once: it decides both whether the bytes count as flushed and whether they are
        // flushed.
        if (cancellationToken.IsCancellationRequested)
        {
            Leave();
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        _given = 0;
        _unflushed = 0;
        return BeginAsync(cancellationToken);
    }

    public void CancelPending()
    {
        Volatile.Write(ref _cancelPending, 1);
        Signal(onReactor: false);
    }

    /// <summary>
    /// Publishes the rest and says that these are all bytes. With an exception, or if the ring has no room for the
    /// rest, says that bytes are missing. A flush that waits comes first.
    /// </summary>
    public void Close(Exception? exception)
    {
        _holdsRingMemory = false;
        _isFailed = exception is not null;
        Seal(Finish);
    }

    /// <summary>
    /// Ends the writing in the writer's place, which Kestrel leaves to the transport. If the writer may still hold
    /// memory of the ring, the mapping is left to the garbage collector.
    /// </summary>
    public void Abandon()
    {
        _isFailed |= _connection.IsClosed || _connection.PeerIsGone;
        Seal(Finish);
    }

    protected override bool TryComplete([MaybeNullWhen(false)] out FlushResult result)
    {
        var isCanceled = Volatile.Read(ref _cancelPending) != 0 && Interlocked.Exchange(ref _cancelPending, 0) != 0;

        // If nobody reads, writing ends without an error, as with a pipe in front of a socket: Kestrel takes an
        // exception from a flush for a bug.
        if (TryRefresh(_spill.Length))
        {
            Drain();
        }
        else
        {
            _spill.Clear();
        }

        _isSpilling = !_spill.IsEmpty;
        result = new FlushResult(isCanceled, isCompleted: !_peerReads);
        return isCanceled || _spill.IsEmpty;
    }

    protected override void AnnounceWait() => _outbound.AnnounceWait();

    private bool HasRoom(int wanted)
    {
        var ring = _outbound;
        if (ring.Contiguous >= wanted)
        {
            return true;
        }

        // If nobody reads, the bytes go into the spill and are dropped with it.
        return TryRefresh(ring.Capacity) && ring.Contiguous >= wanted;
    }

    private bool TryRefresh(long wanted)
    {
        if (!_peerReads)
        {
            return false;
        }

        try
        {
            _peerReads = !_connection.IsClosed && _outbound.Refresh(wanted);
        }
        catch (SharedMemoryProtocolException)
        {
            // The connection has been aborted for this violation.
            _peerReads = false;
        }

        return _peerReads;
    }

    private void Drain()
    {
        try
        {
            while (!_spill.IsEmpty)
            {
                var taken = _outbound.Write(_spill.First);
                if (taken == 0)
                {
                    break;
                }

                _spill.Consume(taken);
            }
        }
        catch (SharedMemoryProtocolException)
        {
            // The connection has been aborted for this violation.
            _peerReads = false;
            _spill.Clear();
        }

        _outbound.Publish();
    }

    private void Finish()
    {
        Drain();
        _outbound.Close(complete: !_isFailed && _spill.IsEmpty);
        _spill.Clear();
        if (!_holdsRingMemory)
        {
            _connection.Detach();
        }
    }
}
