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

    // Once something has spilled, all that follows spills too, until the ring has taken it: bytes stay in order. So
    // does what has been given and not advanced yet: who asks again, for less, gets the same memory again, as from a
    // Pipe. Kestrel's chunks depend on it: it asks for much, lets the application write behind a gap, asks once more
    // and fills the gap with the chunk's size.
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

    /// <summary>What has been advanced since the last flush began, as a Pipe counts it.</summary>
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
                nameof(bytes), bytes, $"At most the {_given} bytes of the last GetMemory or GetSpan can have been written.");
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
        // Where the writing has been ended in the writer's place, the spill was dropped, and this with it: a Pipe whose
        // reader has completed takes it the same way.
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

        // Looked at once: whether what has been written counts as flushed, and whether it is flushed, must not have two
        // answers.
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
