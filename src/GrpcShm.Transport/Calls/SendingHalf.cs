using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The sending half of a call. Nothing is sent before the first flush or the end, so that a small call is one frame:
/// headers, data and trailers in one piece. Data for which there is no credit, or no room in the ring, waits here. The
/// thread that brings credit or room sends it. Under the gate of the call, unless a member says otherwise.
/// </summary>
internal sealed class SendingHalf
{
    private readonly CallStream _stream;
    private readonly CallLife _life;
    private readonly FailureNotice _notice;
    private readonly UnsentData _unsent = new();
    private SendCredit _credit = new();
    private bool _isReleased;
    private bool _isCompleted;
    private bool _hasBegun;
    private bool _hasSentInTurn;
    private OwedFrames _owed;

    public SendingHalf(CallStream stream, CallLife life, FailureNotice notice)
    {
        _stream = stream;
        _life = life;
        _notice = notice;
        Flush = new FlushOperation(stream);
    }

    /// <summary>The wait of a writer until its flushed data is in the ring.</summary>
    public FlushOperation Flush { get; }

    /// <summary>The headers. To be filled before the first flush, without the gate.</summary>
    public HeaderBlock Headers { get; } = new();

    /// <summary>The trailers, if any. To be filled before the end, without the gate.</summary>
    public HeaderBlock Trailers { get; } = new();

    /// <summary>
    /// Whether a frame of the call has been sent, so that the peer may know of it. Any thread, without the gate.
    /// </summary>
    public bool HasBegun => Volatile.Read(ref _hasBegun);

    /// <summary>Whether the writer has ended its output. By the writer, also without the gate.</summary>
    public bool IsCompleted => _isCompleted;

    /// <summary>Whether the call is given up, and its reset waits for room.</summary>
    public bool OwesReset => _owed.HasReset;

    /// <summary>Whether data that is written from now on will not be sent.</summary>
    public bool IsOver => !_life.IsOn || _life.HasSentEnd || _owed.HasReset;

    /// <summary>Whether all flushed data is in the ring.</summary>
    public bool HasAllSent => _unsent.IsEmpty && !(_isReleased && Headers.IsPending);

    /// <summary>
    /// Whether data that was lent has not been sent. Without the gate it may be a moment old.
    /// </summary>
    public bool HasBorrowed => _unsent.HasBorrowed;

    /// <summary>Whether data has been flushed that could not be sent.</summary>
    public bool HasUnsent => _isReleased && !_unsent.IsEmpty;

    /// <summary>How many bytes of data have been sent, in all.</summary>
    public long SentBytes => _credit.Sent;

    /// <summary>
    /// Releases the written data, with the headers, and sends as much of it as there is credit and room for.
    /// </summary>
    /// <param name="written">The data that has been written since the last flush.</param>
    /// <param name="lent">More data to send, which belongs to somebody else.</param>
    /// <param name="isQuiet">Whether a peer that sleeps may be woken later.</param>
    /// <returns>As of <see cref="Pump"/>.</returns>
    public bool Release(SpillBuffer written, in Lent lent = default, bool isQuiet = false)
    {
        _isReleased = true;
        if (!lent.IsEmpty)
        {
            // Data that was written before is sent before.
            _unsent.Borrow(lent, written);
        }
        else if (!written.IsEmpty)
        {
            // Nothing goes before data that was lent before it.
            _unsent.KeepBorrowed();
        }

        var leaves = Pump(written, isResumed: false, isQuiet);
        if (IsOver)
        {
            written.Clear();
            _unsent.ForgetBorrowed();
        }

        return leaves;
    }

    /// <summary>Ends this direction: sends the written data, with the trailers if there are any.</summary>
    /// <param name="written">The data that has been written since the last flush.</param>
    /// <param name="lent">More data to send, which belongs to somebody else, who does not wait.</param>
    /// <returns>As of <see cref="Pump"/>.</returns>
    public bool Complete(SpillBuffer written, in Lent lent)
    {
        _isCompleted = true;
        var leaves = Release(written, lent);
        Keep(written);
        return leaves;
    }

    /// <summary>Keeps data that has been written and could not be sent, so that the writer can go on.</summary>
    public void Keep(SpillBuffer written) => _unsent.Keep(written);

    /// <summary>Gives a writer back the memory that it has lent.</summary>
    /// <param name="keepsCopy">Whether the data is still to be sent.</param>
    public void GiveBack(bool keepsCopy)
    {
        if (keepsCopy)
        {
            _unsent.KeepBorrowed();
        }
        else
        {
            _unsent.ForgetBorrowed();
        }
    }

    /// <summary>
    /// Ends this direction at once, and drops data that has not been sent. Tells the peer, unless the call is over.
    /// </summary>
    /// <returns>As of <see cref="Pump"/>.</returns>
    public bool Reset(CallError error)
    {
        if (!_life.IsOn || _owed.HasReset || (_life.HasSentEnd && _life.HasReceivedEnd))
        {
            return false;
        }

        Drop();
        if (!_notice.IsPending)
        {
            // If a failure has been noted, others have to know of it before the writer.
            Flush.Wake();
        }

        if (_hasBegun || !_life.Connection.IsClient)
        {
            _owed.OweReset(error);
            return Pump(null, isResumed: false);
        }

        // The server does not know of the call, and would not answer.
        _life.EndUnheard();
        return _life.TryLeave();
    }

    /// <summary>Takes credit that the peer gives, and sends data that has waited for it.</summary>
    /// <param name="count">The credit in bytes.</param>
    /// <param name="leaves">As of <see cref="Pump"/>.</param>
    /// <returns>Whether the peer may give so much.</returns>
    public bool TryAddCredit(uint count, out bool leaves)
    {
        leaves = false;
        if (!_credit.TryAdd(count))
        {
            return false;
        }

        leaves = Pump(null, isResumed: false);
        return true;
    }

    /// <summary>Tells the peer that it may send more.</summary>
    /// <returns>As of <see cref="Pump"/>.</returns>
    public bool GiveCredit(int count)
    {
        _owed.OweCredit(count);
        return Pump(null, isResumed: false);
    }

    /// <summary>Sends data that has waited for room, since it is this call's turn.</summary>
    /// <param name="hasSent">Whether the call could send anything.</param>
    /// <returns>As of <see cref="Pump"/>.</returns>
    public bool Resume(out bool hasSent)
    {
        _hasSentInTurn = false;
        var leaves = Pump(null, isResumed: true);
        hasSent = _hasSentInTurn;
        return leaves;
    }

    /// <summary>Drops the data that has not been sent.</summary>
    public void Drop()
    {
        // Not the blocks: the sender may be about to fill them. They are not sent any more.
        _unsent.Clear();
    }

    /// <summary>Resets it for the next call. The output has to be completed, and the call has to have left.</summary>
    public void Reuse()
    {
        _unsent.Clear();
        Headers.Clear();
        Trailers.Clear();
        _credit = new SendCredit();
        _isReleased = false;
        _isCompleted = false;
        _hasBegun = false;
        _owed = default;
    }

    /// <summary>Sends as much data as there is credit and room for.</summary>
    /// <returns>Whether both sides have ended by it, so that the caller has to let the call leave, after the
    /// gate.</returns>
    private bool Pump(SpillBuffer? written, bool isResumed, bool isQuiet = false)
    {
        _life.VerifyGate();
        if (!_life.IsOn)
        {
            // The memory may be unmapped.
            return false;
        }

        while (TrySendNext(written, isResumed, isQuiet))
        {
        }

        // Not a flush whose bytes were dropped with the call: it learns of that after those who have to know first.
        if (!_notice.IsPending && Flush.IsWaiting && HasAllSent)
        {
            Flush.Wake(isCompleted: false);
        }

        return _life.TryLeave();
    }

    /// <returns>Whether there may be more to send.</returns>
    private bool TrySendNext(SpillBuffer? written, bool isResumed, bool isQuiet)
    {
        if (_owed.TryPeek(takesCredit: !_life.HasReceivedEnd, out var type, out var argument))
        {
            if (!_life.Connection.TrySend(_stream, type, argument, isResumed))
            {
                return false;
            }

            _hasSentInTurn = true;
            _owed.Settle(type);
            if (type == FrameType.Reset)
            {
                _life.EndSending();
                return false;
            }

            return true;
        }

        return _isReleased && !_life.HasSentEnd && TrySendMessage(written, isResumed, isQuiet);
    }

    private bool TrySendMessage(SpillBuffer? written, bool isResumed, bool isQuiet)
    {
        var connection = _life.Connection;
        var message = new NextMessage(
            Headers,
            _unsent.FirstWith(written),
            _unsent.LengthWith(written),
            _isCompleted ? Trailers : null,
            _credit.Available,
            connection.MaxFrame - FrameHeader.Size);
        if (message.IsEmpty
            || !connection.TrySend(
                _stream, message.Flags, message.Headers, message.Data, message.Trailers, isResumed, isQuiet))
        {
            return false;
        }

        NoteSent(message, written);
        return !_life.HasSentEnd;
    }

    private void NoteSent(in NextMessage message, SpillBuffer? written)
    {
        if (!_hasBegun)
        {
            _hasBegun = true;
            if (_life.Connection.IsGoingAway)
            {
                // A pong may wait for this message.
                _life.Connection.CheckHeldPong();
            }
        }

        _hasSentInTurn = true;
        if ((message.Flags & FrameFlags.Headers) != 0)
        {
            Headers.Advance(message.Headers.Length);
        }

        if (!message.Data.IsEmpty)
        {
            _credit.Use(message.Data.Length);
            _unsent.Consume(message.Data.Length, written);
        }

        if ((message.Flags & FrameFlags.Trailers) != 0)
        {
            Trailers.Advance(message.Trailers.Length);
        }

        if ((message.Flags & FrameFlags.End) != 0)
        {
            _life.EndSending();
        }
    }
}
