using System.IO.Pipelines;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// What goes. Nothing goes before the first flush or the end, so that a small call is one frame: headers, data and
/// trailers in one piece. What finds no credit, or no room in the ring, waits here and goes when there is some, by the
/// thread that brings the news.
/// </summary>
internal abstract partial class Call
{
    private readonly FlushOperation _flush;

    // Under the gate.
    private readonly SpillBuffer _sending = new();
    private ReadOnlyMemory<byte> _borrowed;
    private bool _isReleased;
    private bool _isOutputCompleted;
    private bool _owesReset;
    private bool _hasBegun;
    private CallError _resetError;
    private int _sendCredit = CallSettings.Window;
    private int _consumed;
    private bool _hasSentInTurn;

    /// <summary>Its place in the queue of those who wait for room; the connection's, under its lock.</summary>
    public LinkedListNode<Call> WaitingPlace { get; }

    /// <summary>Whether it has found no room since its last turn; the connection's, under its lock.</summary>
    public bool WantsRoom { get; set; }

    /// <summary>The headers. To be filled before the first flush.</summary>
    protected HeaderBlock Headers { get; } = new();

    /// <summary>The trailers, if any. To be filled before the end.</summary>
    protected HeaderBlock Trailers { get; } = new();

    /// <summary>Whether this side has sent all that it ever will.</summary>
    protected bool HasSentEnd => Volatile.Read(ref _hasSentEnd);

    /// <summary>Whether anything of the call has been sent, so that the peer may have heard of it.</summary>
    protected bool HasBegun => Volatile.Read(ref _hasBegun);

    /// <summary>
    /// Keeps what is flushed until it is let go, as long as it is little: for a sender who is about to complete.
    /// </summary>
    protected bool HoldsFlushes { get; set; }

    public void ThrowIfOutputCompleted()
    {
        if (_isOutputCompleted)
        {
            throw new InvalidOperationException("The call's output has been completed.");
        }
    }

    /// <summary>Sends what has been written, and waits until all of it is in the ring.</summary>
    /// <param name="borrowed">More to send, which stays the caller's until the wait is over.</param>
    /// <param name="cancellationToken">Ends the wait; what was written is still sent.</param>
    public ValueTask<FlushResult> FlushAsync(ReadOnlyMemory<byte> borrowed, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        if (HoldsFlushes && borrowed.IsEmpty && _output.Written.Length < Connection.MaxFrame / 2)
        {
            return new ValueTask<FlushResult>(default(FlushResult));
        }

        ValueTask<FlushResult> wait;
        bool leaves;
        lock (_gate)
        {
            if (_flush.IsWaiting)
            {
                throw new InvalidOperationException("A flush of the call's output is under way.");
            }

            _isReleased = true;
            if (!borrowed.IsEmpty)
            {
                // What was written before goes before.
                _sending.TakeAll(_output.Written);
                _borrowed = borrowed;
            }

            leaves = Pump(_output.Written, isResumed: false);
            if (IsOutputOver)
            {
                _output.Written.Clear();
                _borrowed = default;
                wait = new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
            }
            else if (HasAllSent && _output.Written.IsEmpty)
            {
                wait = new ValueTask<FlushResult>(default(FlushResult));
            }
            else
            {
                _sending.TakeAll(_output.Written);
                wait = _flush.Start();
            }
        }

        if (leaves)
        {
            Leave();
        }

        if (!wait.IsCompleted)
        {
            _flush.CancelBy(cancellationToken);
        }

        return wait;
    }

    /// <summary>Ends a wait of <see cref="FlushAsync"/>; what was to be sent is still sent.</summary>
    public void CancelFlush(bool byToken = false)
    {
        lock (_gate)
        {
            if (!_borrowed.IsEmpty)
            {
                // The caller has its memory back when the wait is over.
                _borrowed.CopyTo(_sending.GetMemory(_borrowed.Length));
                _sending.Advance(_borrowed.Length);
                _borrowed = default;
            }

            _flush.Wake(isCompleted: false, isCanceled: !byToken, byToken);
        }
    }

    /// <summary>Ends this direction: what has been written goes, with the trailers if there are any.</summary>
    public void EndOutput()
    {
        bool leaves;
        lock (_gate)
        {
            if (_isOutputCompleted)
            {
                return;
            }

            _isOutputCompleted = true;
            _isReleased = true;
            leaves = Pump(_output.Written, isResumed: false);
            if (IsOutputOver)
            {
                _output.Written.Clear();
            }
            else
            {
                _sending.TakeAll(_output.Written);
            }
        }

        if (leaves)
        {
            Leave();
        }
    }

    /// <summary>Ends this direction at once, and drops what has not been sent. Tells the peer unless all is over.</summary>
    public void Reset(CallError error)
    {
        bool leaves;
        lock (_gate)
        {
            leaves = ResetUnderGate(error);
        }

        if (leaves)
        {
            Leave();
        }
    }

    /// <summary>Sends what has been written, as far as there is room, and does not wait for the rest.</summary>
    protected void Release()
    {
        bool leaves;
        lock (_gate)
        {
            _isReleased = true;
            leaves = Pump(_output.Written, isResumed: false);
            if (IsOutputOver)
            {
                _output.Written.Clear();
            }
            else
            {
                _sending.TakeAll(_output.Written);
            }
        }

        if (leaves)
        {
            Leave();
        }
    }

    /// <summary>The peer gives credit to what has that id on a connection. By the thread that receives.</summary>
    /// <exception cref="SharedMemoryProtocolException">It is more than there can be.</exception>
    public void ReceiveCredit(CallConnection connection, uint id, uint count)
    {
        bool leaves;
        lock (_gate)
        {
            if (!IsStill(connection, id))
            {
                return;
            }

            if (count > CallSettings.Window - _sendCredit)
            {
                throw new SharedMemoryProtocolException($"The peer gave {count} bytes of credit for call {id}, more than it has got.");
            }

            _sendCredit += (int)count;
            leaves = Pump(null, isResumed: false);
        }

        if (leaves)
        {
            Leave();
        }
    }

    /// <summary>There may be room in the ring, and it is the turn of what has that id on a connection.</summary>
    /// <returns>Whether it could send anything.</returns>
    public bool Resume(CallConnection connection, uint id)
    {
        bool leaves;
        bool hasSent;
        lock (_gate)
        {
            if (!IsStill(connection, id))
            {
                return false;
            }

            _hasSentInTurn = false;
            leaves = Pump(null, isResumed: true);
            hasSent = _hasSentInTurn;
        }

        if (leaves)
        {
            Leave();
        }

        return hasSent;
    }

    /// <summary>The reader has seen bytes of the input for the first time.</summary>
    public void Consumed(int count)
    {
        if (Volatile.Read(ref _hasReceivedEnd))
        {
            // The peer has no use for credit any more.
            return;
        }

        bool leaves;
        lock (_gate)
        {
            _consumed += count;
            if (_consumed < CallSettings.LeastCredit)
            {
                return;
            }

            leaves = Pump(null, isResumed: false);
        }

        if (leaves)
        {
            Leave();
        }
    }

    /// <summary>Drops what has been written since the last flush. By the writer.</summary>
    protected void DropWritten() => _output.Written.Clear();

    /// <returns>Whether the caller has to leave when it has left the gate.</returns>
    private bool ResetUnderGate(CallError error)
    {
        if (!_isOn || _owesReset || (_hasSentEnd && _hasReceivedEnd))
        {
            return false;
        }

        DropOutput();
        if (_hasBegun || !Connection.IsClient)
        {
            _owesReset = true;
            _resetError = error;
            return Pump(null, isResumed: false);
        }

        // The server has never heard of it, and would not answer.
        Volatile.Write(ref _hasSentEnd, true);
        Volatile.Write(ref _hasReceivedEnd, true);
        return TryLeave();
    }

    /// <summary>Whether nothing that is written from now on will be sent. Under the gate.</summary>
    private bool IsOutputOver => !_isOn || _hasSentEnd || _owesReset;

    private bool HasAllSent => _sending.IsEmpty && _borrowed.IsEmpty && !(_isReleased && Headers.IsPending);

    /// <summary>Sends as much as there is credit and room for. Under the gate.</summary>
    /// <returns>Whether both sides have ended with it, so that the caller has to leave when it has left the gate.</returns>
    private bool Pump(SpillBuffer? written, bool isResumed)
    {
        if (!_isOn)
        {
            // The memory may be gone.
            return false;
        }

        while (TrySendNext(written, isResumed))
        {
        }

        if (_flush.IsWaiting && HasAllSent)
        {
            _flush.Wake(isCompleted: false);
        }

        return TryLeave();
    }

    private bool TrySendNext(SpillBuffer? written, bool isResumed)
    {
        if (_owesReset)
        {
            if (!Connection.TrySend(this, FrameType.Reset, (uint)_resetError, isResumed))
            {
                return false;
            }

            _owesReset = false;
            _hasSentInTurn = true;
            Volatile.Write(ref _hasSentEnd, true);
            return false;
        }

        if (_consumed >= CallSettings.LeastCredit && !_hasReceivedEnd)
        {
            // Before the peer can use it.
            Interlocked.Add(ref _receiveCredit, _consumed);
            if (!Connection.TrySend(this, FrameType.Credit, (uint)_consumed, isResumed))
            {
                Interlocked.Add(ref _receiveCredit, -_consumed);
                return false;
            }

            _consumed = 0;
            _hasSentInTurn = true;
            return true;
        }

        return _isReleased && !_hasSentEnd && TrySendMessage(written, isResumed);
    }

    private bool TrySendMessage(SpillBuffer? written, bool isResumed)
    {
        var remaining = _sending.Length + _borrowed.Length + (written?.Length ?? 0);
        var data = !_sending.IsEmpty ? _sending.First
            : written is { IsEmpty: false } ? written.First
            : _borrowed.Span;
        var room = Connection.MaxFrame - FrameHeader.Size;
        var flags = FrameFlags.None;
        var headers = ReadOnlySpan<byte>.Empty;
        if (Headers.IsPending)
        {
            flags = FrameFlags.Headers;
            headers = Headers.Rest;
            if (headers.Length > room)
            {
                flags |= FrameFlags.Continues;
                headers = headers[..room];
            }
        }

        data = data[..Math.Min(data.Length, Math.Min(_sendCredit, room - headers.Length))];
        if (flags.HasFlag(FrameFlags.Continues))
        {
            data = default;
        }

        var trailers = ReadOnlySpan<byte>.Empty;
        if (_isOutputCompleted && data.Length == remaining && !flags.HasFlag(FrameFlags.Continues))
        {
            trailers = Trailers.Rest;
            flags |= Trailers.IsPending ? FrameFlags.Trailers : FrameFlags.None;
            if (trailers.Length <= room - headers.Length - data.Length)
            {
                flags |= FrameFlags.End;
            }
            else
            {
                trailers = trailers[..(room - headers.Length - data.Length)];
                flags |= FrameFlags.Continues;
            }
        }

        if ((flags == FrameFlags.None && data.IsEmpty)
            || !Connection.TrySend(this, flags, headers, data, trailers, isResumed))
        {
            return false;
        }

        Sent(flags, headers.Length, data.Length, trailers.Length, written);
        return !_hasSentEnd;
    }

    private void Sent(FrameFlags flags, int headers, int data, int trailers, SpillBuffer? written)
    {
        _hasBegun = true;
        _hasSentInTurn = true;
        if ((flags & FrameFlags.Headers) != 0)
        {
            Headers.Claimed(headers);
        }

        _sendCredit -= data;
        if (data > 0)
        {
            if (!_sending.IsEmpty)
            {
                _sending.Consume(data);
            }
            else if (written is { IsEmpty: false })
            {
                written.Consume(data);
            }
            else
            {
                _borrowed = _borrowed[data..];
            }
        }

        if ((flags & FrameFlags.Trailers) != 0)
        {
            Trailers.Claimed(trailers);
        }

        if ((flags & FrameFlags.End) != 0)
        {
            Volatile.Write(ref _hasSentEnd, true);
        }
    }

    private void DropOutput()
    {
        // Not the blocks: whoever sends may be about to fill them. Nothing of them goes any more.
        _sending.Clear();
        _borrowed = default;
        _flush.Wake();
    }

    private void ReuseSending()
    {
        _output.Written.Clear();
        _sending.Clear();
        _borrowed = default;
        Headers.Clear();
        Trailers.Clear();
        HoldsFlushes = false;
        _isReleased = false;
        _isOutputCompleted = false;
        _owesReset = false;
        _hasBegun = false;
        _sendCredit = CallSettings.Window;
        _consumed = 0;
    }
}
