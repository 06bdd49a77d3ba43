namespace GrpcShm.Transport.Calls;

/// <summary>
/// The receiving half of a call: puts blocks together, checks the order of messages, and hands their parts to the owner
/// of the call and to the reader of the input. By the thread that receives, unless a member says otherwise.
/// </summary>
internal sealed class ReceivingHalf
{
    private readonly CallStream _stream;
    private readonly ICallStreamOwner _owner;
    private readonly CallLife _life;
    private readonly SendingHalf _sending;
    private readonly BlockAssembly _blocks = new();
    private bool _hasHeaders;
    private bool _hasFailed;

    // Set by any thread, and read by the thread that receives, which may see it late: then one more message is handled.
    private bool _discards;

    public ReceivingHalf(CallStream stream, ICallStreamOwner owner, CallLife life, SendingHalf sending)
    {
        _stream = stream;
        _owner = owner;
        _life = life;
        _sending = sending;
        Input = new ReceivedBody(stream);
    }

    /// <summary>The received data, for its reader.</summary>
    public ReceivedBody Input { get; }

    /// <summary>Goes on receiving, as the rules demand, but drops the received parts. Any thread.</summary>
    public void Discard() => Volatile.Write(ref _discards, true);

    /// <summary>Takes a message.</summary>
    /// <param name="frame">The header of the message.</param>
    /// <param name="headers">The block of headers, in private memory.</param>
    /// <param name="data">The data, in shared memory.</param>
    /// <param name="trailers">The block of trailers, in private memory.</param>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public void Receive(
        in FrameHeader frame, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> data, ReadOnlySpan<byte> trailers)
    {
        var isClient = _life.Connection.IsClient;
        if (isClient && !_hasHeaders)
        {
            VerifyBegun(frame.Call);
        }

        var hasHeaders = frame.Has(FrameFlags.Headers);
        var hasTrailers = frame.Has(FrameFlags.Trailers);
        VerifyOrder(frame, hasHeaders, hasTrailers, data.Length);
        if (hasHeaders)
        {
            var isWhole = hasTrailers || !frame.Has(FrameFlags.Continues);
            if (_blocks.TryComplete(headers, isWhole, _life.Connection, out var block))
            {
                _hasHeaders = true;
                ReadBlock(block, isTrailers: false);
            }
        }

        var hasEnded = frame.Has(FrameFlags.End);
        if (hasTrailers
            && _blocks.TryComplete(trailers, !frame.Has(FrameFlags.Continues), _life.Connection, out var last))
        {
            ReadBlock(last, isTrailers: true);
        }

        TakeData(data, hasEnded);

        if (hasEnded && isClient)
        {
            GiveBackBorrowed();
        }

        // All parts of the message are here. If a block goes on in the next message, nothing begins before it is
        // complete.
        if (_hasHeaders && !_discards)
        {
            _owner.OnReceived(hasEnded);
        }

        if (hasEnded)
        {
            // When a response has ended, nothing more of the request is wanted.
            End(needsAnswer: isClient);
        }
    }

    /// <summary>Takes a reset for the call with an id on a connection.</summary>
    public void ReceiveReset(CallConnection connection, uint id, CallError error)
    {
        lock (_life.Gate)
        {
            if (!_life.Carries(_stream, connection, id))
            {
                return;
            }

            // This side may end the call at this moment, and then use the object for another call.
            _life.BeginReset();
        }

        if (!_discards)
        {
            Fail(error, connection.CreateResetException(error));
        }
        else
        {
            Input.EndCredit();
        }

        // Here, before the call leaves. This matters if the reader will be told of the failure later.
        Input.Show();
        End(needsAnswer: true);
    }

    /// <summary>Ends the call with a failure: its peer's, that of a frame which came for it, or its
    /// connection's.</summary>
    /// <param name="error">The reason.</param>
    /// <param name="exception">The reason for the reader.</param>
    /// <param name="byPeer">Whether the peer will send no more.</param>
    public void Fail(CallError error, Exception exception, bool byPeer = true)
    {
        if (_hasFailed || (_life.HasReceivedEnd && _life.Connection.IsClient))
        {
            return;
        }

        _hasFailed = true;
        GiveBackBorrowed();
        _owner.OnFailed(error, exception, byPeer);
    }

    /// <summary>Whether a block has begun and has not been complete in time. Any thread.</summary>
    public bool IsBlockOverdue(long clock, TimeSpan limit) => _blocks.IsOverdue(clock, limit);

    /// <summary>Ends the call if the rest of a block has not come in time.</summary>
    /// <param name="connection">The connection of the thread that receives.</param>
    /// <param name="clock">The time of that connection.</param>
    /// <param name="limit">How long a block may take.</param>
    public void EndIfBlockIsOverdue(CallConnection connection, long clock, TimeSpan limit)
    {
        lock (_life.Gate)
        {
            // The call may have left since it was found. Then the object may serve another call, whose blocks are the
            // concern of another connection.
            if (!_life.IsOnAt(connection) || !IsBlockOverdue(clock, limit) || _discards)
            {
                return;
            }
        }

        // The block has begun and has not ended, so the peer has not ended the call. Only this thread notes the peer's
        // end, and until then the call does not leave.
        Fail(CallError.Internal, new IOException($"A block of headers was not whole within {limit}."));
        Discard();
        _stream.Reset(CallError.Internal);
    }

    /// <summary>Resets it for the next call. The input has to be completed, and the call has to have left.</summary>
    public void Reuse()
    {
        Input.Reuse();
        _blocks.Reuse();
        _hasHeaders = false;
        _hasFailed = false;
        _discards = false;
    }

    /// <summary>
    /// Ends the use of memory that was lent, since the call is about to be over for its owner. What is left of the data
    /// goes, or is dropped, with the call.
    /// </summary>
    private void GiveBackBorrowed()
    {
        if (_sending.HasBorrowed)
        {
            lock (_life.Gate)
            {
                _sending.GiveBack(keepsCopy: true);
            }
        }
    }

    private void VerifyBegun(uint id)
    {
        lock (_life.Gate)
        {
            // A call that has not begun may be given up, and its object used for another call, at any time.
            if (!_life.Carries(_stream, _life.Connection, id) || !_sending.HasBegun)
            {
                throw new SharedMemoryProtocolException($"The peer sent a message for call {id}, which has not begun.");
            }
        }
    }

    /// <summary>
    /// Checks the order: headers come first and once, and behind an incomplete block only its rest comes.
    /// </summary>
    private void VerifyOrder(in FrameHeader frame, bool hasHeaders, bool hasTrailers, int dataLength)
    {
        if (_life.HasReceivedEnd
            || hasHeaders == _hasHeaders
            || (_blocks.IsUnderWay && _hasHeaders && (!hasTrailers || dataLength > 0)))
        {
            throw new SharedMemoryProtocolException(
                $"The peer sent a message out of order: flags 0x{(byte)frame.Flags:x}, {dataLength} bytes of data, "
                + $"in call {_life.Id}.");
        }
    }

    private void ReadBlock(ReadOnlySpan<byte> block, bool isTrailers)
    {
        var connection = _life.Connection;
        var settings = connection.Settings;
        var reader = new HeaderReader(block, connection.ReceivedPairs, settings.MaxFields, settings.MaxFieldBytes);
        if (!_discards)
        {
            try
            {
                if (isTrailers)
                {
                    _owner.OnTrailers(ref reader);
                }
                else
                {
                    _owner.OnHeaders(ref reader);
                }

                return;
            }
            catch (Exception exception) when (exception is not SharedMemoryProtocolException)
            {
                Refuse(exception);
            }
        }

        // The rest is read for the pairs that it defines.
        reader.Drain();
    }

    private void TakeData(ReadOnlySpan<byte> data, bool hasEnded)
    {
        if (_hasHeaders && !_discards)
        {
            try
            {
                _owner.OnData(data.Length, hasEnded);
            }
            catch (Exception exception)
            {
                Refuse(exception);
            }
        }

        if (hasEnded)
        {
            // The end is shown with the data, after the trailers: a reader that finds the end finds the trailers, too.
            Input.End(data, isDropped: _discards);
        }
        else if (data.Length > 0)
        {
            Input.Add(data, isDropped: _discards);
            if (!_discards)
            {
                _life.Connection.ShowLater(_stream);
            }
        }
    }

    /// <summary>Ends the call, and no other, because of a frame that the peer sent for it.</summary>
    private void Refuse(Exception exception)
    {
        var error = exception is MalformedCallException malformed ? malformed.Error : CallError.Internal;
        _owner.OnRefused(error, exception);

        // The peer may have sent more already, and has credit for it.
        Fail(error, _life.Connection.ResetException(error, exception.Message), byPeer: false);
        Discard();
        _stream.Reset(error);
    }

    /// <summary>Notes that the peer has ended its direction.</summary>
    private void End(bool needsAnswer)
    {
        _blocks.Drop(_life.Connection);
        bool leaves;
        lock (_life.Gate)
        {
            _life.EndReceiving();

            // Under the gate and not after it: then another thread may end the call's other side, and use the object
            // for another call.
            leaves = needsAnswer && !_life.HasSentEnd ? _sending.Reset(CallError.None) : _life.TryLeave();
        }

        if (leaves)
        {
            _stream.Leave(byReceiver: true);
        }
    }
}
