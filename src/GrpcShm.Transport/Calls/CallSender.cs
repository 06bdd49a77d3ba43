using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// Sends the frames of calls. A frame for which the ring has no room waits in its call, and is sent when it is the
/// call's turn. Any thread, unless a member says otherwise.
/// </summary>
/// <param name="connection">The connection, which ends if the peer breaks a rule.</param>
/// <param name="writer">Puts frames into its ring.</param>
/// <param name="receiving">Lets the thread that receives look once more.</param>
internal sealed class CallSender(SharedMemoryConnection connection, FrameWriter writer, IThreadPoolWorkItem receiving)
{
    private readonly WaitingCalls _waiting = new();

    /// <summary>Whether calls wait for room.</summary>
    public bool HasWaiting => !_waiting.IsEmpty;

    /// <summary>Whether a call waits for room. Under the call's gate.</summary>
    public bool IsWaiting(uint id) => _waiting.Contains(id);

    /// <summary>Removes a call that leaves, so that it waits no more.</summary>
    public void Remove(CallStream call) => _waiting.Remove(call, call.Id);

    /// <summary>
    /// Sends a frame of a call, if there is room and it is the call's turn (is resumed) or no other call waits. A peer
    /// that sleeps may be woken later if the frame is quiet and need not wait for room. Under the call's gate.
    /// </summary>
    /// <returns>Whether the frame was sent. If not, the call will be resumed.</returns>
    public bool TrySend(
        CallStream call,
        in FrameHeader header,
        ReadOnlySpan<byte> headers,
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> trailers,
        bool isResumed,
        bool isQuiet = false)
    {
        try
        {
            if ((isResumed || _waiting.IsEmpty) && writer.TryPut(header, headers, data, trailers, isQuiet))
            {
                return true;
            }

            // Room that came before the peer could see that this side waits comes without a doorbell: look once more. A
            // call that is not the first leaves the room to the first.
            var isFirst = _waiting.Add(call, header.Call);
            writer.AnnounceWait();
            if (isFirst)
            {
                return writer.TryPut(header, headers, data, trailers);
            }

            if (writer.HasRoom((int)header.Length))
            {
                ThreadPool.UnsafeQueueUserWorkItem(receiving, preferLocal: false);
            }

            return false;
        }
        catch (SharedMemoryProtocolException violation)
        {
            // Not on this thread, which holds the gate of a call: the abort ends all calls.
            ThreadPool.UnsafeQueueUserWorkItem(
                static state => state.Connection.AbortForViolation(state.Violation),
                (Connection: connection, Violation: violation),
                preferLocal: false);
            return false;
        }
    }

    /// <summary>
    /// Gives each call that waits for room its turn, as long as there is room. By the thread that receives.
    /// </summary>
    public void ResumeWaiting(CallConnection carrier)
    {
        for (var turns = _waiting.Count; turns > 0 && _waiting.TryBeginTurn(out var call, out var id); turns--)
        {
            var hasSent = call.Resume(carrier, id);
            if (!_waiting.EndTurn(id, hasSent))
            {
                return;
            }
        }
    }
}
