namespace GrpcShm.Transport.Calls;

/// <summary>Takes the calls that the client begins. On a server, by the thread that receives.</summary>
/// <param name="carrier">The connection that they come on.</param>
/// <param name="calls">Where they are found by their ids.</param>
/// <param name="acceptor">Makes them; <see langword="null"/> on a client, where none may come.</param>
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

        // A client takes no slot beyond as long as it keeps to the limit, so this needs no count, nor a word on who
        // ended what first.
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

    /// <summary>Takes the call out that has ended where a new one begins.</summary>
    /// <returns>Whether it was the last one of the connection.</returns>
    private bool FreeSlot(uint id)
    {
        if (calls.At(id) is not { } other)
        {
            return false;
        }

        // It may have ended just now, and whoever did that has yet to take it out; the client has seen the end already.
        if (!other.HasLeft(carrier, other.Id))
        {
            throw new SharedMemoryProtocolException($"The peer began call {id} where call {other.Id} is under way.");
        }

        // Whoever ended it finds nothing to take out any more, so what it would have said is said here.
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
