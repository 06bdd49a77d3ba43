using System.Diagnostics.CodeAnalysis;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Takes frames off the ring, checks them, and gives each frame to its call or to the connection. By the thread that
/// receives, which has the turn: all fields belong to that thread.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="carrier">The connection with its calls.</param>
/// <param name="calls">Finds calls by their ids.</param>
/// <param name="incoming">Takes calls that the client begins.</param>
internal sealed class FrameReceiver(
    SharedMemoryConnection connection, CallConnection carrier, CallTable calls, IncomingCalls incoming)
{
    // The frames of one turn; then other targets have their turns. Each piece of a block of so many bytes counts as
    // another frame, since reading it takes as long.
    private const int FramesPerTurn = 128;
    private const int BlockBytesPerFrame = 1024;

    // How many blocks of the largest size may be incomplete at the same time.
    private const int MaxPartialBlocks = 256;

    private readonly ReceivingEnd _ring = connection.Inbound;
    private byte[] _scratch = new byte[1024];
    private long _partialBytes;
    private CallStream? _unshown;

    /// <summary>Takes the frames that are there, or as many as one turn allows.</summary>
    /// <param name="failure">The reason why no more frames come.</param>
    /// <param name="hasMore">Whether there may be more frames than one turn allows.</param>
    /// <returns>Whether the connection goes on.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    /// <exception cref="IOException">The connection is broken, and everything before that has been read.</exception>
    public bool TryReceive([NotNullWhen(false)] out Exception? failure, out bool hasMore)
    {
        failure = null;
        hasMore = false;
        for (var frames = 0; frames < FramesPerTurn;)
        {
            if (!_ring.Refresh(_ring.Head, out var hasEnded))
            {
                if (connection.TryDeferSleep())
                {
                    // The reactor runs the work of these frames before it sleeps, and meanwhile the peer need not ring.
                    return true;
                }

                // There are no frames. Ask for a doorbell, and look once more for frames that came before the peer
                // could see the request.
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
    /// Lets a call show its reader the data when all of the call's frames have been looked at: so a stream of small
    /// messages wakes its reader and takes the lock once for many messages.
    /// </summary>
    public void ShowLater(CallStream call)
    {
        if (!ReferenceEquals(_unshown, call))
        {
            ShowData();
            _unshown = call;
        }
    }

    /// <summary>Counts the bytes that are held of incomplete blocks.</summary>
    /// <exception cref="SharedMemoryProtocolException">There are too many.</exception>
    public void HoldPartial(int change)
    {
        _partialBytes += change;
        if (_partialBytes > (long)carrier.Settings.MaxHeaderBytes * MaxPartialBlocks)
        {
            throw new SharedMemoryProtocolException(
                $"The peer began blocks of headers of {_partialBytes} bytes in all without ending them.");
        }
    }

    /// <summary>Takes frames up to the end of the ring's memory, and gives back their room.</summary>
    /// <returns>The number of frames, as they count for a turn.</returns>
    private int ReceiveContiguous(int most)
    {
        var available = _ring.ContiguousFrom(_ring.Head);
        var taken = 0;
        var count = 0;

        // Room is given back early, so that the peer can go on while this side still handles frames.
        while (taken < available.Length && count < most && taken < _ring.Capacity / 4)
        {
            var rest = available[taken..];
            var header = FrameReader.ReadHeader(rest);
            if (connection.HasChecksums)
            {
                // The checksum comes first, since a corrupted frame may mean anything.
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
        // The call has not left: the peer would have to end it first, and ForgetUnshown comes before that.
        _unshown?.ShowData();
        _unshown = null;
    }

    /// <summary>
    /// Forgets a call whose frame is about to end the peer's direction, which shows the reader all data. After that the
    /// call may leave and its object may serve another call, whose data must not be shown from here.
    /// </summary>
    private void ForgetUnshown(CallStream call)
    {
        if (ReferenceEquals(_unshown, call))
        {
            _unshown = null;
        }
    }
}
