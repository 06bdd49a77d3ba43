using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Takes frames off the ring, checks them, and gives each to the call that it is for, or to the connection. By the
/// thread that receives, whose turn it is: all fields are that thread's.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="carrier">The same with its calls.</param>
/// <param name="calls">Where calls are found by their ids.</param>
/// <param name="incoming">Takes calls that the client begins.</param>
internal sealed class FrameReceiver(
    SharedMemoryConnection connection, CallConnection carrier, CallTable calls, IncomingCalls incoming)
{
    // One turn; then others have theirs. Each block of so many bytes counts as another frame: to read it takes as long.
    private const int FramesPerTurn = 128;
    private const int BlockBytesPerFrame = 1024;

    // So many blocks of the largest size may be on their way at once.
    private const int MaxPartialBlocks = 256;

    private readonly ReceivingEnd _ring = connection.Inbound;
    private byte[] _scratch = new byte[1024];
    private long _partialBytes;
    private CallStream? _unshown;

    /// <summary>Takes what there is, or as much as one turn allows.</summary>
    /// <param name="failure">Why nothing more comes.</param>
    /// <param name="hasMore">Whether there may be more than one turn allows.</param>
    /// <returns>Whether the connection goes on.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    /// <exception cref="IOException">The connection is broken and everything before has been read.</exception>
    public bool TryReceive([NotNullWhen(false)] out Exception? failure, out bool hasMore)
    {
        failure = null;
        hasMore = false;
        for (var frames = 0; frames < FramesPerTurn;)
        {
            if (!_ring.Refresh(_ring.Head, out var hasEnded))
            {
                if (Reactor.Running is { } reactor && reactor.TryDeferSleep(connection))
                {
                    // It runs what has come before it sleeps, and the peer need not ring for more meanwhile.
                    return true;
                }

                // Nothing. Ask for a doorbell, and look once more at what came before the peer could see that.
                _ring.AnnounceSleep();
                if (!_ring.Refresh(_ring.Head, out hasEnded))
                {
                    return true;
                }
            }

            if (hasEnded)
            {
                failure = connection.CreateResetException("The peer closed the connection.", null);
                return false;
            }

            frames += ReceiveContiguous(FramesPerTurn - frames);
        }

        hasMore = true;
        return true;
    }

    /// <summary>
    /// Lets a call show its reader what it has taken when its frames have all been looked at: a stream of small
    /// messages wakes and locks once for many of them.
    /// </summary>
    public void ShowLater(CallStream call)
    {
        if (!ReferenceEquals(_unshown, call))
        {
            ShowData();
            _unshown = call;
        }
    }

    /// <summary>Counts what is held of blocks that have not come in full.</summary>
    /// <exception cref="SharedMemoryProtocolException">It is too much.</exception>
    public void HoldPartial(int change)
    {
        _partialBytes += change;
        if (_partialBytes > (long)carrier.Settings.MaxHeaderBytes * MaxPartialBlocks)
        {
            throw new SharedMemoryProtocolException(
                $"The peer began blocks of headers of {_partialBytes} bytes in all without ending them.");
        }
    }

    /// <summary>Takes frames up to the end of the ring's memory, and gives their room back.</summary>
    /// <returns>How many frames, as they count for a turn.</returns>
    private int ReceiveContiguous(int most)
    {
        var available = _ring.ContiguousFrom(_ring.Head);
        var taken = 0;
        var count = 0;

        // Room goes back early enough for the peer to go on while this side is still at it.
        while (taken < available.Length && count < most && taken < _ring.Capacity / 4)
        {
            var rest = available[taken..];
            var header = FrameReader.ReadHeader(rest);
            if (connection.HasChecksums)
            {
                // First, since a frame that was corrupted may mean anything.
                FrameChecksum.Verify(header, rest[FrameHeader.Size..(int)header.Length]);
            }
            else if (header.Checksum != 0)
            {
                throw new SharedMemoryProtocolException(
                    "The peer sent a frame with a checksum, which was not agreed on.");
            }

            FrameReader.Check(header, rest.Length, connection.Role);
            Receive(header, rest[..(int)header.Length]);
            taken += (int)header.Stride;
            count += 1;
            if (header.Type == FrameType.Message)
            {
                count += (int)(header.HeadersLength + header.TrailersLength) / BlockBytesPerFrame;
            }
        }

        _ring.Advance(taken);
        ShowData();
        return count;
    }

    private void Receive(in FrameHeader header, ReadOnlySpan<byte> frame)
    {
        switch (header.Type)
        {
            case FrameType.Message:
                ReceiveMessage(header, frame[FrameHeader.Size..]);
                break;
            case FrameType.Credit:
                calls.Find(header.Call)?.ReceiveCredit(carrier, header.Call, (uint)header.Argument);
                break;
            case FrameType.Reset:
                if (calls.Find(header.Call) is { } call)
                {
                    ForgetUnshown(call);
                    call.ReceiveReset(carrier, header.Call, (CallError)header.Argument);
                }

                break;
            case FrameType.Ping:
                carrier.ReceivePing(header.Argument);
                break;
            case FrameType.Pong:
                carrier.ReceivePong(header.Argument);
                break;
            case FrameType.GoAway:
                carrier.ReceiveGoingAway();
                break;
        }
    }

    private void ReceiveMessage(in FrameHeader header, ReadOnlySpan<byte> content)
    {
        var call = calls.FindOpen(header.Call) ?? incoming.Accept(header);

        // Blocks are read from a private copy, since they are looked at more than once; data is copied by its call.
        var headersLength = (int)header.HeadersLength;
        var trailersLength = (int)header.TrailersLength;
        if (headersLength + trailersLength > _scratch.Length)
        {
            var most = carrier.Settings.MaxHeaderBytes;
            if (headersLength > most || trailersLength > most)
            {
                throw new SharedMemoryProtocolException(
                    $"The peer sent a block of headers of more than {most} bytes.");
            }

            _scratch = new byte[headersLength + trailersLength];
        }

        var headers = _scratch.AsSpan(0, headersLength);
        var trailers = _scratch.AsSpan(headersLength, trailersLength);
        content[..headersLength].CopyTo(headers);
        content[^trailersLength..].CopyTo(trailers);
        if (header.Has(FrameFlags.End))
        {
            ForgetUnshown(call);
        }

        call.Receive(header, headers, content[headersLength..^trailersLength], trailers);
    }

    private void ShowData()
    {
        // It has not left: for that, its peer has to have ended it, which ForgetUnshown comes before.
        _unshown?.ShowData();
        _unshown = null;
    }

    /// <summary>
    /// A frame is about to end the peer's direction of a call, which shows the reader all that there is. After that the
    /// call may leave, and the object serve another one, of which nothing is to be shown from here.
    /// </summary>
    private void ForgetUnshown(CallStream call)
    {
        if (ReferenceEquals(_unshown, call))
        {
            _unshown = null;
        }
    }
}
