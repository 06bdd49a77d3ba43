using System.Runtime.InteropServices;
using GrpcShm.Transport.Diagnostics;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Transport.Calls;

/// <summary>What goes. Any thread, where it does not say otherwise.</summary>
internal sealed partial class CallConnection
{
    // A frame is copied into the ring in one go, and those behind it are published after it.
    private const int MaxFrameSize = 32 * 1024;

    private readonly Lock _waitingGate = new();
    private readonly LinkedList<CallStream> _waiting = new();
    private readonly Lock _controlGate = new();
    private readonly Queue<(FrameType Type, ulong Argument)> _control = new();
    private bool _owesPong;
    private ulong _pong;
    private int _waitingCount;

    /// <summary>
    /// Sends a message, if there is room and it is the call's turn (is resumed) or no other call waits. Under the call's
    /// gate.
    /// </summary>
    /// <returns>Whether it was sent. If not, the call will be resumed.</returns>
    public bool TrySend(
        CallStream call,
        FrameFlags flags,
        ReadOnlySpan<byte> headers,
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> trailers,
        bool isResumed)
    {
        var header = new FrameHeader
        {
            Length = (uint)(FrameHeader.Size + headers.Length + data.Length + trailers.Length),
            Type = FrameType.Message,
            Flags = flags,
            Call = call.Id,
            HeadersLength = (uint)headers.Length,
            TrailersLength = (uint)trailers.Length,
        };
        return TrySend(call, header, headers, data, trailers, isResumed);
    }

    /// <summary>Sends a frame that is all header, if there is room. Under the call's gate.</summary>
    public bool TrySend(CallStream call, FrameType type, uint argument, bool isResumed) =>
        TrySend(call, CreateHeader(type, call.Id, argument), default, default, default, isResumed);

    private static FrameHeader CreateHeader(FrameType type, uint call, ulong argument) =>
        new() { Length = FrameHeader.Size, Type = type, Call = call, Argument = argument };

    private bool TrySend(
        CallStream call,
        in FrameHeader header,
        ReadOnlySpan<byte> headers,
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> trailers,
        bool isResumed)
    {
        try
        {
            if ((isResumed || Volatile.Read(ref _waitingCount) == 0) && TryPut(header, headers, data, trailers))
            {
                return true;
            }

            // Room that came before the peer could see that somebody waits comes without a doorbell: look once more. Who
            // is not the first leaves the room to the first.
            if (Wait(call))
            {
                return TryPut(header, headers, data, trailers);
            }

            if (_outbound.HasRoom((int)header.Length))
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
            }

            return false;
        }
        catch (SharedMemoryProtocolException violation)
        {
            // Not here: it ends all calls, and this one's gate is held.
            ThreadPool.UnsafeQueueUserWorkItem(
                static state => state.Connection._connection.AbortForViolation(state.Violation),
                (Connection: this, Violation: violation),
                preferLocal: false);
            return false;
        }
    }

    /// <returns>Whether no other call waits before it.</returns>
    private bool Wait(CallStream call)
    {
        bool isFirst;
        lock (_waitingGate)
        {
            call.WantsRoom = true;
            if (call.WaitingPlace.List is null)
            {
                _waiting.AddLast(call.WaitingPlace);
                Volatile.Write(ref _waitingCount, _waiting.Count);
            }

            isFirst = ReferenceEquals(_waiting.First, call.WaitingPlace);
        }

        _outbound.AnnounceWait();
        return isFirst;
    }

    private bool TryPut(in FrameHeader header, ReadOnlySpan<byte> headers, ReadOnlySpan<byte> data, ReadOnlySpan<byte> trailers)
    {
        if (!_outbound.TryClaim((int)header.Length, out var claim))
        {
            return false;
        }

        if (claim.Gap > 0)
        {
            var gap = CreateHeader(FrameType.Gap, 0, 0);
            gap.Length = (uint)claim.Gap;
            gap.Checksum = _connection.HasChecksums ? GapChecksum(gap, _outbound.GapOf(claim)) : 0;
            MemoryMarshal.Write(_outbound.GapOf(claim), gap);
        }

        var frame = _outbound.SpanOf(claim);
        var checkedHeader = header;
        checkedHeader.Checksum = _connection.HasChecksums ? Checksum(header, headers, data, trailers) : 0;
        MemoryMarshal.Write(frame, checkedHeader);
        frame = frame[FrameHeader.Size..];
        headers.CopyTo(frame);
        data.CopyTo(frame[headers.Length..]);
        trailers.CopyTo(frame[(headers.Length + data.Length)..]);
        if (FaultPoint.IsEnabled && header.Has(FrameFlags.End))
        {
            FaultPoint.Reach(FaultStep.HalfClosing);
        }

        _outbound.Commit(claim);
        if (FaultPoint.IsEnabled && header.Has(FrameFlags.End))
        {
            FaultPoint.Reach(FaultStep.HalfClosed);
        }

        return true;
    }

    private static uint GapChecksum(in FrameHeader header, Span<byte> gap)
    {
        gap[FrameHeader.Size..].Clear();
        return Checksum(header, gap[FrameHeader.Size..], default, default);
    }

    /// <summary>Gives those who wait for room their turn. By the thread that receives.</summary>
    private void ResumeWaiting()
    {
        if (_heldPing is not null)
        {
            AnswerHeldPing();
        }

        if (Volatile.Read(ref _hasOverdueBlocks))
        {
            EndOverdueBlocks();
        }

        FlushControl();
        for (var turns = Volatile.Read(ref _waitingCount); turns > 0; turns--)
        {
            CallStream call;
            uint id;
            lock (_waitingGate)
            {
                if (_waiting.First is not { } first)
                {
                    return;
                }

                // It does not leave before it has left the queue, so the id is its own.
                call = first.Value;
                id = call.Id;
                call.WantsRoom = false;
            }

            var hasSent = call.Resume(this, id);
            lock (_waitingGate)
            {
                if (call.WaitingPlace.List != _waiting)
                {
                    continue;
                }

                if (!call.WantsRoom)
                {
                    _waiting.Remove(call.WaitingPlace);
                    Volatile.Write(ref _waitingCount, _waiting.Count);
                    continue;
                }

                if (hasSent)
                {
                    // It took what there was, and others are next. One that wants more room than there is stays where it
                    // is: else the small ones would take it for ever as it comes.
                    _waiting.Remove(call.WaitingPlace);
                    _waiting.AddLast(call.WaitingPlace);
                }

                return;
            }
        }
    }

    private void StopWaiting(CallStream call)
    {
        // Nobody puts a call there that has left, so if it is not there now, it will not be.
        if (call.WaitingPlace.List is null)
        {
            return;
        }

        lock (_waitingGate)
        {
            if (call.WaitingPlace.List == _waiting)
            {
                _waiting.Remove(call.WaitingPlace);
                Volatile.Write(ref _waitingCount, _waiting.Count);
            }
        }
    }

    private void SendControl(FrameType type, ulong argument)
    {
        lock (_controlGate)
        {
            _control.Enqueue((type, argument));
        }

        try
        {
            FlushControl();
        }
        catch (SharedMemoryProtocolException violation)
        {
            // Whoever asked for it learns of it as all others do.
            _connection.AbortForViolation(violation);
        }
    }

    /// <summary>Sends what the connection itself has to say, of which there is little.</summary>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    private void FlushControl()
    {
        lock (_controlGate)
        {
            while (!_isEnded)
            {
                if (_owesPong)
                {
                    if (!TryPutOrWait(FrameType.Pong, _pong))
                    {
                        return;
                    }

                    _owesPong = false;
                }
                else if (_control.TryPeek(out var next))
                {
                    if (!TryPutOrWait(next.Type, next.Argument))
                    {
                        return;
                    }

                    _control.Dequeue();
                }
                else
                {
                    return;
                }
            }
        }
    }

    private bool TryPutOrWait(FrameType type, ulong argument)
    {
        var header = CreateHeader(type, 0, argument);
        if (TryPut(header, default, default, default))
        {
            return true;
        }

        _outbound.AnnounceWait();
        return TryPut(header, default, default, default);
    }
}
