using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Hashing;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>What comes.</summary>
/// <remarks>
/// Who has the turn on the connection: <c>Idle → Owned</c> by compare-and-swap, by the reactor that was told by the
/// doorbell, or by whoever has ended the connection; <c>Owned → Again</c> by a signal that finds somebody at it, who then
/// looks once more; <c>Sealed</c> after the end. The swaps are full fences: a condition that was set before a signal is
/// seen by the look that the signal leads to.
/// </remarks>
internal sealed partial class CallConnection
{
    private const int Idle = 0;
    private const int Owned = 1;
    private const int Again = 2;
    private const int Sealed = 3;

    // One turn; then others have theirs. Each block of so many bytes counts as another frame: to read it takes as long.
    private const int FramesPerTurn = 128;
    private const int BlockBytesPerFrame = 1024;

    // So many blocks of the largest size may be on their way at once.
    private const int MaxPartialBlocks = 256;

    private byte[] _scratch = new byte[1024];
    private bool _hasMore;
    private int _turn;
    private long _partialBytes;
    private CallStream? _unshown;

    /// <summary>Whether nobody receives right now, so that a reactor may look at the ring by itself.</summary>
    public bool IsWaiting => Volatile.Read(ref _turn) == Idle;

    /// <inheritdoc/>
    public void Signal(bool onReactor)
    {
        Interlocked.MemoryBarrier();
        while (true)
        {
            var turn = Volatile.Read(ref _turn);
            switch (turn)
            {
                case Idle:
                    if (Interlocked.CompareExchange(ref _turn, Owned, Idle) == Idle)
                    {
                        TakeTurn(onReactor);
                        return;
                    }

                    break;
                case Owned:
                    if (Interlocked.CompareExchange(ref _turn, Again, Owned) == Owned)
                    {
                        return;
                    }

                    break;
                default:
                    return;
            }
        }
    }

    /// <inheritdoc/>
    public void Seal(Action afterLast) => throw new NotSupportedException("A connection in direct mode ends by itself.");

    void IThreadPoolWorkItem.Execute() => Signal(onReactor: false);

    private void TakeTurn(bool onReactor)
    {
        do
        {
            Interlocked.Exchange(ref _turn, Owned);
            if (!ReceiveAll(out var failure))
            {
                End(failure);
                return;
            }

            if (_hasMore)
            {
                _hasMore = false;
                Interlocked.Exchange(ref _turn, Idle);
                GoOnLater(onReactor);
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _turn, Idle, Owned) != Owned);
    }

    private void GoOnLater(bool onReactor)
    {
        if (onReactor && Reactor.Running is { } reactor)
        {
            reactor.Resume(_connection);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Counts what is held of blocks that have not come in full.</summary>
    /// <exception cref="SharedMemoryProtocolException">It is too much.</exception>
    public void HoldPartial(int change)
    {
        _partialBytes += change;
        if (_partialBytes > (long)Settings.MaxHeaderBytes * MaxPartialBlocks)
        {
            throw new SharedMemoryProtocolException(
                $"The peer began blocks of headers of {_partialBytes} bytes in all without ending them.");
        }
    }

    /// <summary>Takes what there is, or as much as one turn allows, and lets those go on that wait for room.</summary>
    /// <returns>Whether the connection goes on.</returns>
    private bool ReceiveAll([NotNullWhen(false)] out Exception? failure)
    {
        try
        {
            if (TryReceive(out failure))
            {
                ResumeWaiting();
                return true;
            }

            return false;
        }
        catch (SharedMemoryProtocolException violation)
        {
            // Where the ring itself breaks a rule, that has been done already.
            if (!_connection.IsClosed)
            {
                _connection.AbortForViolation(violation);
            }

            failure = violation;
            return false;
        }
        catch (Exception exception)
        {
            // The peer's end or this side's; anything else is a bug of ours, which must not leave calls waiting for ever.
            if (exception is not IOException && !_connection.IsClosed && !_connection.PeerIsGone)
            {
                _connection.OnFault(exception);
            }

            failure = exception;
            return false;
        }
    }

    private bool TryReceive([NotNullWhen(false)] out Exception? failure)
    {
        failure = null;
        var inbound = _connection.Inbound;
        for (var frames = 0; frames < FramesPerTurn;)
        {
            if (!inbound.Refresh(inbound.Head, out var hasEnded))
            {
                if (Reactor.Running is { } reactor && reactor.TryDeferSleep(_connection))
                {
                    // It runs what has come before it sleeps, and the peer need not ring for more meanwhile.
                    return true;
                }

                // Nothing. Ask for a doorbell, and look once more at what came before the peer could see that.
                inbound.AnnounceSleep();
                if (!inbound.Refresh(inbound.Head, out hasEnded))
                {
                    return true;
                }
            }

            if (hasEnded)
            {
                failure = _connection.CreateResetException("The peer closed the connection.", null);
                return false;
            }

            frames += Receive(inbound, FramesPerTurn - frames);
        }

        _hasMore = true;
        return true;
    }

    /// <summary>Takes frames up to the end of the ring's memory, and gives their room back.</summary>
    /// <returns>How many frames, as they count for a turn.</returns>
    private int Receive(ReceivingEnd inbound, int most)
    {
        var ring = inbound;
        var available = ring.ContiguousFrom(ring.Head);
        var taken = 0;
        var count = 0;

        // Room goes back early enough for the peer to go on while this side is still at it.
        while (taken < available.Length && count < most && taken < ring.Capacity / 4)
        {
            var rest = available[taken..];
            var header = FrameReader.ReadHeader(rest);
            if (_connection.HasChecksums)
            {
                // First, since a frame that was corrupted may mean anything.
                CheckSum(header, rest[FrameHeader.Size..(int)header.Length]);
            }
            else if (header.Checksum != 0)
            {
                throw new SharedMemoryProtocolException("The peer sent a frame with a checksum, which was not agreed on.");
            }

            FrameReader.Check(header, rest.Length, _connection.Role);
            Receive(header, rest[..(int)header.Length]);
            taken += (int)header.Stride;
            count += 1 + (header.Type == FrameType.Message ? (int)(header.HeadersLength + header.TrailersLength) / BlockBytesPerFrame : 0);
        }

        inbound.Advance(taken);
        ShowData();
        return count;
    }

    /// <summary>
    /// Lets a call show its reader what it has taken when its frames have all been looked at: a stream of small messages wakes and
    /// locks once for many of them. By the thread that receives.
    /// </summary>
    public void ShowLater(CallStream call)
    {
        if (!ReferenceEquals(_unshown, call))
        {
            ShowData();
            _unshown = call;
        }
    }

    private void ShowData()
    {
        // It may have left meanwhile, and be used for another: then there is nothing to show, which does no harm.
        _unshown?.ShowData();
        _unshown = null;
    }

    private void Receive(in FrameHeader header, ReadOnlySpan<byte> frame)
    {
        switch (header.Type)
        {
            case FrameType.Message:
                ReceiveMessage(header, frame[FrameHeader.Size..]);
                break;
            case FrameType.Credit:
                _calls.Find(header.Call)?.ReceiveCredit(this, header.Call, (uint)header.Argument);
                break;
            case FrameType.Reset:
                _calls.Find(header.Call)?.ReceiveReset(this, header.Call, (CallError)header.Argument);
                break;
            case FrameType.Ping:
                AnswerPing(header.Argument);
                break;
            case FrameType.Pong:
                ReceivePong(header.Argument);
                break;
            case FrameType.GoAway:
                if (!Interlocked.Exchange(ref _isGoingAway, true))
                {
                    _calls.AdmitNone();
                    OnGoingAway?.Invoke();
                }

                break;
        }
    }

    private void ReceiveMessage(in FrameHeader header, ReadOnlySpan<byte> content)
    {
        var call = _calls.FindOpen(header.Call) ?? Accept(header);

        // Blocks are read from a private copy, since they are looked at more than once; data is copied by its call.
        var headersLength = (int)header.HeadersLength;
        var trailersLength = (int)header.TrailersLength;
        if (headersLength + trailersLength > _scratch.Length)
        {
            if (headersLength > Settings.MaxHeaderBytes || trailersLength > Settings.MaxHeaderBytes)
            {
                throw new SharedMemoryProtocolException(
                    $"The peer sent a block of headers of more than {Settings.MaxHeaderBytes} bytes.");
            }

            _scratch = new byte[headersLength + trailersLength];
        }

        var headers = _scratch.AsSpan(0, headersLength);
        var trailers = _scratch.AsSpan(headersLength, trailersLength);
        content[..headersLength].CopyTo(headers);
        content[^trailersLength..].CopyTo(trailers);
        call.Receive(header, headers, content[headersLength..^trailersLength], trailers);
    }

    private CallStream Accept(in FrameHeader header)
    {
        if (_acceptor is null || !header.Has(FrameFlags.Headers))
        {
            throw new SharedMemoryProtocolException($"The peer sent a message for call {header.Call}, which there is not.");
        }

        // A client takes no slot beyond as long as it keeps to the limit, so this needs no count, nor a word on who ended what first.
        var slot = header.Call & (CallTable.MaxSlots - 1);
        if (slot >= MaxCalls)
        {
            throw new SharedMemoryProtocolException(
                $"The peer began call {header.Call} in slot {slot}, where {MaxCalls} calls at once are the most.");
        }

        var wasLast = false;
        if (_calls.At(header.Call) is { } other)
        {
            // It may have ended just now, and whoever did that has yet to take it out; the client has seen the end already.
            if (!other.HasLeft(this, other.Id))
            {
                throw new SharedMemoryProtocolException(
                    $"The peer began call {header.Call} where call {other.Id} is under way.");
            }

            // Whoever ended it finds nothing to take out any more, so what it would have said is said here.
            wasLast = _calls.Remove(other, out _);
        }

        var isRefused = TakesNone || !_acceptor.MayAccept || Budget?.TryEnter() is false;
        var hasWindow = !isRefused && Budget is not null;
        var call = isRefused ? null : _acceptor.Accept();
        if (call is null)
        {
            if (hasWindow)
            {
                Budget!.Leave();
            }

            (isRefused, hasWindow, call) = (true, false, new RefusedCall().Stream);
        }

        call.Attach(this, hasWindow);
        if (!_calls.TryAddAt(header.Call, call))
        {
            if (hasWindow)
            {
                Budget!.Leave();
            }

            throw new InvalidOperationException($"The slot of call {header.Call} was taken by another thread.");
        }

        if (isRefused)
        {
            call.Reset(CallError.Refused);
            if (wasLast)
            {
                OnIdle?.Invoke();
            }
        }

        return call;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CheckSum(FrameHeader header, ReadOnlySpan<byte> content)
    {
        var sent = header.Checksum;
        if (Checksum(header, content, default, default) != sent)
        {
            throw new SharedMemoryProtocolException(
                $"A frame of type {header.Type} and {header.Length} bytes of call {header.Call} does not match its checksum: "
                + "the shared memory has been corrupted.")
            {
                IsCorruption = true,
            };
        }
    }

    private static uint Checksum(FrameHeader header, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> third)
    {
        header.Checksum = 0;
        var sum = new Crc32();
        sum.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<FrameHeader>(in header)));
        sum.Append(first);
        sum.Append(second);
        sum.Append(third);
        return sum.GetCurrentHashAsUInt32();
    }
}
