using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// What goes. Nothing goes before the first flush or the end, so that a small call is one frame: headers, data and
/// trailers in one piece. What finds no credit, or no room in the ring, waits here and goes when there is some, by the
/// thread that brings the news.
/// </summary>
internal sealed partial class CallStream
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
    private int _sendCredit = CallSettings.FirstWindow;
    private int _owedCredit;
    private bool _hasSentInTurn;

    /// <summary>Its place in the queue of those who wait for room; the connection's, under its lock.</summary>
    public LinkedListNode<CallStream> WaitingPlace { get; }

    /// <summary>Whether it has found no room since its last turn; the connection's, under its lock.</summary>
    public bool WantsRoom { get; set; }

    /// <summary>The headers. To be filled before the first flush.</summary>
    public HeaderBlock Headers { get; } = new();

    /// <summary>The trailers, if any. To be filled before the end.</summary>
    public HeaderBlock Trailers { get; } = new();

    /// <summary>Whether this side has sent all that it ever will.</summary>
    public bool HasSentEnd => Volatile.Read(ref _hasSentEnd);

    /// <summary>Whether anything of the call has been sent, so that the peer may have heard of it.</summary>
    public bool HasBegun => Volatile.Read(ref _hasBegun);

    /// <summary>Ends this direction at once, and drops what has not been sent. Tells the peer unless all is over.</summary>
    public void Reset(CallError error)
    {
        bool leaves;
        lock (_gate)
        {
            leaves = ResetUnderGate(error);
        }

        LeaveIf(leaves);
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

        LeaveIf(leaves);
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

        LeaveIf(leaves);

        return hasSent;
    }

    /// <summary>Whether it is on a connection, and its first message has yet to go. On a client.</summary>
    public bool IsYetToBegin(CallConnection connection)
    {
        lock (_gate)
        {
            return _isOn && !_hasBegun && ReferenceEquals(_connection, connection);
        }
    }

    /// <summary>
    /// The peer of what has that id on a connection may send more, which has been reserved. Any thread: the reader's, or that of whoever
    /// has released what was reserved.
    /// </summary>
    internal void GiveCredit(CallConnection connection, uint id, int count)
    {
        bool leaves;
        lock (_gate)
        {
            if (!IsStill(connection, id) || _hasReceivedEnd)
            {
                // The peer has no use for credit any more.
                return;
            }

            // If there is no room it is owed, and goes with what is owed then in one frame.
            _owedCredit += count;
            leaves = Pump(null, isResumed: false);
        }

        LeaveIf(leaves);
    }

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

        // Not one whose bytes were dropped with the call: it learns of that when who has to know before it does.
        if (!TellsLater && _flush.IsWaiting && HasAllSent)
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

        if (_owedCredit > 0 && !_hasReceivedEnd)
        {
            if (!Connection.TrySend(this, FrameType.Credit, (uint)_owedCredit, isResumed))
            {
                return false;
            }

            _owedCredit = 0;
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
        if (!_hasBegun)
        {
            _hasBegun = true;
            if (Connection.IsGoingAway)
            {
                // A pong may wait for it.
                Connection.Settled();
            }
        }

        _hasSentInTurn = true;
        if ((flags & FrameFlags.Headers) != 0)
        {
            Headers.Claimed(headers);
        }

        _sendCredit -= data;
        _dataSent += data;
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
        DropUnsent();
        WakeFlushUnderGate();
    }

    private void DropUnsent()
    {
        // Not the blocks: whoever sends may be about to fill them. Nothing of them goes any more.
        _sending.Clear();
        _borrowed = default;
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
        _sendCredit = CallSettings.FirstWindow;
        _owedCredit = 0;
    }
}
