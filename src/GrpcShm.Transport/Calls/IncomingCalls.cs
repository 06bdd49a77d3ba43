namespace GrpcShm.Transport.Calls;

/// <summary>Takes the calls that the client begins. On a server, by the thread that receives.</summary>
/// <param name="carrier">The connection on which the calls come.</param>
/// <param name="calls">Finds calls by their ids.</param>
/// <param name="acceptor">Makes the calls; <see langword="null"/> on a client, where none may come.</param>
internal sealed class IncomingCalls(CallConnection carrier, CallTable calls, ICallAcceptor? acceptor)
{
    /// <summary>Takes, or refuses, the call that a first message begins.</summary>
    /// <returns>The call, which is in the table.</returns>
    /// <exception cref="SharedMemoryProtocolException">The client must not begin that call.</exception>
    public CallStream Accept(in FrameHeader header)
    {
        if (acceptor is null || !header.Has(FrameFlags.Headers))
        {
            throw new SharedMemoryProtocolException(
                $"The peer sent a message for call {header.Call}, which there is not.");
        }

        // A client that keeps to the limit takes no slot beyond it. So neither a count is needed nor a rule which side
        // ends a call first.
        var slot = header.Call & (CallTable.MaxSlots - 1);
        if (slot >= carrier.MaxCalls)
        {
            throw new SharedMemoryProtocolException(
                $"The peer began call {header.Call} in slot {slot}, where {carrier.MaxCalls} calls at once are the "
                + "most.");
        }

        var wasLast = FreeSlot(header.Call);
        var call = TryAccept(out var hasWindow);
        var isRefused = call is null;
        call ??= new RefusedCall().Stream;
        call.Attach(carrier, hasWindow);
        if (!calls.TryAddAt(header.Call, call))
        {
            if (hasWindow)
            {
                carrier.Budget!.Leave();
            }

            throw new InvalidOperationException($"The slot of call {header.Call} was taken by another thread.");
        }

        if (isRefused)
        {
            call.Reset(CallError.Refused);
            if (wasLast)
            {
                carrier.OnIdle?.Invoke();
            }
        }

        return call;
    }

    /// <summary>Takes out the ended call in whose slot a new call begins.</summary>
    /// <returns>Whether that was the last call of the connection.</returns>
    private bool FreeSlot(uint id)
    {
        if (calls.At(id) is not { } other)
        {
            return false;
        }

        // The call may have ended just now: the client has seen the end already, but the thread that ended the call has
        // not taken it out yet.
        if (!other.HasLeft(carrier, other.Id))
        {
            throw new SharedMemoryProtocolException($"The peer began call {id} where call {other.Id} is under way.");
        }

        // The thread that ended the call will find nothing to take out, so its result is returned here.
        return calls.Remove(other, out _);
    }

    private CallStream? TryAccept(out bool hasWindow)
    {
        hasWindow = false;
        if (carrier.TakesNone || !acceptor!.MayAccept || carrier.Budget?.TryEnter() is false)
        {
            return null;
        }

        if (acceptor.Accept() is not { } call)
        {
            carrier.Budget?.Leave();
            return null;
        }

        hasWindow = carrier.Budget is not null;
        return call;
    }
}
