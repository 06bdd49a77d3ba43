using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Sends the few frames that belong to no call: pings and their answers, and the going away. If there is no room, the
/// thread that receives sends them later. Any thread.
/// </summary>
/// <param name="connection">The connection, which ends if the peer breaks a rule.</param>
/// <param name="writer">Puts frames into its ring.</param>
internal sealed class ControlFrames(SharedMemoryConnection connection, FrameWriter writer)
{
    private readonly Lock _gate = new();

    // Under the gate.
    private readonly Queue<(FrameType Type, ulong Argument)> _frames = new();
    private bool _owesPong;
    private ulong _pong;
    private bool _hasEnded;

    /// <summary>Sends a frame as soon as there is room.</summary>
    public void Send(FrameType type, ulong argument)
    {
        lock (_gate)
        {
            _frames.Enqueue((type, argument));
        }

        try
        {
            Flush();
        }
        catch (SharedMemoryProtocolException violation)
        {
            // The caller learns of the abort as all others do.
            connection.AbortForViolation(violation);
        }
    }

    /// <summary>Answers a ping. If the peer does not read the answers, only its last ping is answered.</summary>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public void Answer(ulong number)
    {
        lock (_gate)
        {
            _owesPong = true;
            _pong = number;
        }

        Flush();
    }

    /// <summary>Sends the frames that wait for room, as far as there is room.</summary>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public void Flush()
    {
        lock (_gate)
        {
            while (!_hasEnded)
            {
                if (_owesPong)
                {
                    if (!TryPutOrWait(FrameType.Pong, _pong))
                    {
                        return;
                    }

                    _owesPong = false;
                }
                else if (_frames.TryPeek(out var next))
                {
                    if (!TryPutOrWait(next.Type, next.Argument))
                    {
                        return;
                    }

                    _frames.Dequeue();
                }
                else
                {
                    return;
                }
            }
        }
    }

    /// <summary>Counts the bytes that the peer has taken out of the ring so far.</summary>
    /// <returns>False if the connection has ended, since the memory may be unmapped.</returns>
    public bool TryCountTaken(out long taken)
    {
        lock (_gate)
        {
            taken = _hasEnded ? 0 : writer.Taken;
            return !_hasEnded;
        }
    }

    /// <summary>Sends nothing any more, so that the memory may be unmapped.</summary>
    public void End()
    {
        lock (_gate)
        {
            _hasEnded = true;
        }
    }

    private bool TryPutOrWait(FrameType type, ulong argument)
    {
        var header = FrameWriter.CreateHeader(type, 0, argument);
        if (writer.TryPut(header, default, default, default))
        {
            return true;
        }

        // Room that came before the peer could see that this side waits comes without a doorbell.
        writer.AnnounceWait();
        return writer.TryPut(header, default, default, default);
    }
}
