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
    private readonly OutboundRing _outbound;
    private readonly RingMemory _memory;

    // Once something has spilled, all that follows spills too, until the ring has taken it: bytes stay in order.
    private readonly SpillBuffer _spill = new();
    private int _given;
    private bool _givenFromSpill;
    private bool _holdsRingMemory;
    private bool _isFailed;
    private bool _peerReads = true;
    private int _cancelPending;

    public RingPipeFlush(SharedMemoryConnection connection)
    {
        _connection = connection;
        _outbound = connection.Outbound;
        _memory = connection.OutboundMemory;
        connection.AttachSend(this);
    }

    public long UnflushedBytes => _peerReads ? _outbound.Ring.Unpublished + _spill.Length : 0;

    protected override bool MayRunInline => _connection.RunInline;

    protected override IRingTarget? RingTarget => null;

    public Memory<byte> GetMemory(int sizeHint)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        var wanted = Math.Max(sizeHint, 1);
        var ring = _outbound.Ring;
        if (_spill.IsEmpty && ring.Contiguous >= wanted && !IsBusy)
        {
            _givenFromSpill = false;
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
            _givenFromSpill = !_spill.IsEmpty || !HasRoom(wanted);
            var memory = _givenFromSpill
                ? _spill.GetMemory(wanted)
                : _memory.Memory.Slice(_outbound.Ring.Offset, _outbound.Ring.Contiguous);
            _given = memory.Length;
            _holdsRingMemory = !_givenFromSpill;
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
                nameof(bytes), bytes, $"At most the {_given} bytes of the last GetMemory or GetSpan can have been written.");
        }

        _given -= bytes;
        _holdsRingMemory = false;
        if (_givenFromSpill)
        {
            _spill.Advance(bytes);
        }
        else
        {
            _outbound.Ring.Commit(bytes);
        }
    }

    public ValueTask<FlushResult> StartAsync(CancellationToken cancellationToken)
    {
        Enter();
        _given = 0;
        return RunAsync(cancellationToken);
    }

    public void CancelPending()
    {
        Volatile.Write(ref _cancelPending, 1);
        Signal(onReactor: false);
    }

    /// <summary>
    /// Publishes the rest and says that it was all. With an exception, or where the ring has no room for the rest,
    /// says that something is missing. A flush that waits comes first.
    /// </summary>
    public void Close(Exception? exception)
    {
        _holdsRingMemory = false;
        _isFailed = exception is not null;
        Seal(Finish);
    }

    /// <summary>
    /// Ends the writing in the writer's place, as Kestrel leaves it to the transport. If somebody may still hold memory
    /// of the ring, the mapping is left to the garbage collector.
    /// </summary>
    public void Abandon()
    {
        _isFailed |= _connection.IsClosed || _connection.PeerIsGone;
        Seal(Finish);
    }

    protected override bool TryComplete([MaybeNullWhen(false)] out FlushResult result)
    {
        var isCanceled = Volatile.Read(ref _cancelPending) != 0 && Interlocked.Exchange(ref _cancelPending, 0) != 0;

        // As with a pipe in front of a socket, writing where nobody reads is no error but the end of writing: Kestrel
        // takes an exception from a flush for a bug.
        if (TryRefresh(_spill.Length))
        {
            Drain();
        }
        else
        {
            _spill.Clear();
        }

        result = new FlushResult(isCanceled, isCompleted: !_peerReads);
        return isCanceled || _spill.IsEmpty;
    }

    protected override void AnnounceWait() => _outbound.AnnounceWait();

    private bool HasRoom(int wanted)
    {
        var ring = _outbound.Ring;
        if (ring.Contiguous >= wanted)
        {
            return true;
        }

        // Where nobody reads, it goes into the spill and is dropped with it.
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
            // The connection has been aborted for it.
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
            // The connection has been aborted for it.
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
