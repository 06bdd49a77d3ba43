using System.Buffers;
using System.IO.Pipelines;

namespace GrpcShm.Transport.Calls;

/// <summary>What comes. By the thread that has the turn on the connection, where it does not say otherwise.</summary>
internal sealed partial class CallStream
{
    private ArrayBufferWriter<byte>? _partial;
    private bool _hasHeaders;
    private bool _continues;
    private bool _discards;

    /// <summary>Takes a message.</summary>
    /// <param name="frame">Its header.</param>
    /// <param name="headers">The block of headers, in private memory.</param>
    /// <param name="data">The data, in shared memory.</param>
    /// <param name="trailers">The block of trailers, in private memory.</param>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public void Receive(in FrameHeader frame, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> data, ReadOnlySpan<byte> trailers)
    {
        if (!_hasHeaders && Connection.IsClient)
        {
            CheckBegun(frame.Call);
        }

        var hasHeaders = frame.Has(FrameFlags.Headers);
        var hasTrailers = frame.Has(FrameFlags.Trailers);
        if (_hasReceivedEnd
            || hasHeaders == _hasHeaders
            || (_continues && _hasHeaders && (!hasTrailers || data.Length > 0)))
        {
            throw new SharedMemoryProtocolException(
                $"The peer sent a message out of order: flags 0x{(byte)frame.Flags:x}, {data.Length} bytes of data, in call {Id}.");
        }

        if (hasHeaders)
        {
            var isWhole = hasTrailers || !frame.Has(FrameFlags.Continues);
            if (TakeBlock(headers, isWhole, out var block))
            {
                _hasHeaders = true;
                ReadBlock(block, isTrailers: false);
            }
        }

        var hasEnded = frame.Has(FrameFlags.End);
        if (hasTrailers && TakeBlock(trailers, !frame.Has(FrameFlags.Continues), out var last))
        {
            ReadBlock(last, isTrailers: true);
        }

        TakeData(data, hasEnded);

        // All parts of the message are here, and of a block that goes on only a part: nothing begins before it is whole.
        if (_hasHeaders && !_discards)
        {
            _owner.OnReceived(hasEnded);
        }

        if (hasEnded)
        {
            // A response that has ended leaves nothing to be said in the request.
            EndReceiving(needsAnswer: Connection.IsClient);
        }
    }

    /// <summary>Shows the reader the data that has been taken.</summary>
    public void ShowData() => _input.Show();

    /// <summary>Takes a reset for what has that id on a connection.</summary>
    public void ReceiveReset(CallConnection connection, uint id, CallError error)
    {
        lock (_gate)
        {
            if (!IsStill(connection, id))
            {
                return;
            }

            // Its own side may end it at this moment, and then use it for another one.
            _isReceivingReset = true;
        }

        if (!_discards)
        {
            Fail(error, Connection.CreateResetException(error));
        }
        else
        {
            _input.EndCredit();
        }

        EndReceiving(needsAnswer: true);
    }

    /// <summary>Goes on receiving, as the rules demand, but drops what comes. Any thread.</summary>
    public void Discard() => Volatile.Write(ref _discards, true);

    /// <summary>Lets the reader fail, since this side has given the call up. Any thread.</summary>
    public void FailInput(Exception exception) => _input.Fail(exception, byPeer: false);

    /// <summary>The peer of what has that id on a connection sends more than its reader, which has failed by it, ever takes.</summary>
    internal void RefuseMore(CallConnection connection, uint id)
    {
        bool leaves;
        lock (_gate)
        {
            if (!IsStill(connection, id))
            {
                return;
            }

            leaves = ResetUnderGate(CallError.TooMuch);
        }

        LeaveIf(leaves);
    }

    private void CheckBegun(uint id)
    {
        lock (_gate)
        {
            // One that was not may be given up and used for another at any time.
            if (!IsStill(Connection, id) || !_hasBegun)
            {
                throw new SharedMemoryProtocolException($"The peer sent a message for call {id}, which has not begun.");
            }
        }
    }

    private void ReadBlock(ReadOnlySpan<byte> block, bool isTrailers)
    {
        var reader = new HeaderReader(block, Connection.ReceivedPairs, Connection.Settings.MaxFields, Connection.Settings.MaxFieldBytes);
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

        // For the pairs that it defines.
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
            // With the data, behind the trailers: who reads the end finds them.
            _input.End(data, isDropped: _discards);
        }
        else if (data.Length > 0)
        {
            _input.Add(data, isDropped: _discards);
            if (!_discards)
            {
                Connection.ShowLater(this);
            }
        }
    }

    /// <summary>Ends the call, and no other, because of what the peer sent for it.</summary>
    private void Refuse(Exception exception)
    {
        var error = exception is MalformedCallException malformed ? malformed.Error : CallError.Internal;
        _owner.OnRefused(error, exception);

        // The peer may have more on its way, and has credit for it.
        Fail(error, Connection.ResetException(error, exception.Message), byPeer: false);
        Discard();
        Reset(error);
    }

    private bool TakeBlock(ReadOnlySpan<byte> piece, bool isWhole, out ReadOnlySpan<byte> block)
    {
        if (isWhole && !_continues && piece.Length <= Connection.Settings.MaxHeaderBytes)
        {
            block = piece;
            return true;
        }

        _partial ??= new ArrayBufferWriter<byte>();
        if (_partial.WrittenCount + piece.Length > Connection.Settings.MaxHeaderBytes)
        {
            throw new SharedMemoryProtocolException(
                $"The peer sent a block of headers of more than {Connection.Settings.MaxHeaderBytes} bytes.");
        }

        Connection.HoldPartial(piece.Length);
        _partial.Write(piece);
        _continues = !isWhole;
        NoteBlock(isWhole);
        block = _partial.WrittenSpan;
        if (isWhole)
        {
            DropPartial();
        }

        return isWhole;
    }

    private void DropPartial()
    {
        if (_partial is { } partial)
        {
            Connection.HoldPartial(-partial.WrittenCount);
            _partial = null;
            NoteBlock(isWhole: true);
        }
    }

    /// <summary>The peer has ended its direction.</summary>
    private void EndReceiving(bool needsAnswer)
    {
        DropPartial();
        bool leaves;
        lock (_gate)
        {
            _hasReceivedEnd = true;
            _isReceivingReset = false;

            // Here and not after the gate: somebody else may end the call's other side then, and use it for another.
            leaves = needsAnswer && !_hasSentEnd ? ResetUnderGate(CallError.None) : TryLeave();
        }

        if (leaves)
        {
            Leave(byReceiver: true);
        }
    }

    private void ReuseReceiving()
    {
        _input.Reuse();
        _partial = null;
        _hasHeaders = false;
        _continues = false;
        _discards = false;
    }
}
