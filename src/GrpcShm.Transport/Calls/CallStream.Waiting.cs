namespace GrpcShm.Transport.Calls;

/// <summary>What the call waits for its peer for, and for how long. Of interest where there are time limits: on a server.</summary>
/// <remarks>
/// The time is the connection's <see cref="CallConnection.Clock"/>, which only the heartbeat sets. So who begins to wait notes a number that
/// is there already, and nobody else does anything for time limits.
/// <code>
/// field                 written by                        read by
/// _blockSince           who receives                      the heartbeat
/// ReceivedBody's stamp  who reads, under the body's gate  the heartbeat
/// _readTime, _watch     the heartbeat, under the gate     the heartbeat; made as new with the call
/// _dataSent             who sends, under the gate         the heartbeat, under the gate
/// </code>
/// A stamp is one number, so the heartbeat reads an old or a new one. An old one is corrected at the next heartbeat: what has only
/// just begun to wait is not overdue by any of them.
/// </remarks>
internal sealed partial class CallStream
{
    private long _blockSince;
    private long _readTime;
    private long _dataSent;
    private SendWatch _watch;

    /// <summary>Looks how long it has been waiting. By the heartbeat, without locks of its own.</summary>
    /// <param name="connection">The connection on whose behalf.</param>
    /// <param name="last">When it looked before.</param>
    /// <param name="limits">How long it may wait.</param>
    /// <param name="overdue">What it has waited for too long.</param>
    /// <returns>Whether this side has not ended it yet.</returns>
    public bool Look(CallConnection connection, long last, CallTimeLimits limits, out Overdue overdue)
    {
        uint id;
        lock (_gate)
        {
            overdue = Overdue.None;
            if (!_isOn || _hasSentEnd || !ReferenceEquals(_connection, connection))
            {
                return false;
            }

            if (_owesReset)
            {
                // It has been given up, and its end waits for room, which is the connection's affair.
                return true;
            }

            id = Id;
            overdue = FindOverdue(last, connection.Clock, limits);
        }

        if (overdue != Overdue.None)
        {
            _owner.OnOverdue(overdue, id);
        }

        return true;
    }

    /// <summary>Ends the call if the rest of a block has not come in time. By the thread that receives.</summary>
    public void EndIfBlockIsOverdue(long clock, TimeSpan limit)
    {
        // The peer has not ended it, so it is still the call that has begun the block.
        if (IsBlockOverdue(clock, limit) && !_discards)
        {
            Fail(CallError.Internal, new IOException($"A block of headers was not whole within {limit}."));
            Discard();
            Reset(CallError.Internal);
        }
    }

    /// <summary>When a reader began to wait.</summary>
    internal long Now => _connection?.Clock ?? 0;

    /// <summary>Whether the call is still the one with that id, and there is something to give up. By one who keeps it from being used for another.</summary>
    public bool IsUnderWay(uint id)
    {
        lock (_gate)
        {
            return _isOn && Id == id && !_hasSentEnd && !_owesReset;
        }
    }

    private Overdue FindOverdue(long last, long clock, CallTimeLimits limits)
    {
        if (limits.Block is { } block && IsBlockOverdue(clock, block))
        {
            return Overdue.Block;
        }

        if (limits.Received is { } received && IsDataOverdue(last, clock, received))
        {
            return Overdue.Data;
        }

        return limits.Sent is { } sent && IsCreditOverdue(clock, sent) ? Overdue.Credit : Overdue.None;
    }

    private bool IsBlockOverdue(long clock, TimeSpan limit)
    {
        var since = Volatile.Read(ref _blockSince);
        return since != 0 && clock - since - CallTimeLimits.Interval.Ticks > limit.Ticks;
    }

    /// <summary>
    /// As in Kestrel, the whole time between two heartbeats counts if a reader has waited in it. A peer that has no credit is not
    /// to blame.
    /// </summary>
    private bool IsDataOverdue(long last, long clock, in DataRate rate)
    {
        if (!_owner.IsInputTimed || _hasReceivedEnd || !_input.IsAwaitedSince(last) || !_input.HasCredit)
        {
            return false;
        }

        _readTime += clock - last;
        return _readTime > rate.GracePeriod.Ticks
            && _input.Received < rate.BytesPerSecond * _readTime / TimeSpan.TicksPerSecond;
    }

    private bool IsCreditOverdue(long clock, in DataRate rate)
    {
        // Who waits for room waits for the whole connection's receiver, which the connection looks at.
        var waits = _isReleased && !(_sending.IsEmpty && _borrowed.IsEmpty) && WaitingPlace.List is null;
        return _watch.IsOverdue(clock, waits, _dataSent, Math.Min(_dataSent, CallSettings.Window), rate);
    }

    /// <summary>A piece of a block has come. By the thread that receives.</summary>
    private void NoteBlock(bool isWhole)
    {
        if (isWhole)
        {
            Volatile.Write(ref _blockSince, 0);
        }
        else if (_blockSince == 0)
        {
            Volatile.Write(ref _blockSince, Connection.Clock);
        }
    }

    private void ReuseWaiting()
    {
        _blockSince = 0;
        _readTime = 0;
        _dataSent = 0;
        _watch = default;
    }
}
