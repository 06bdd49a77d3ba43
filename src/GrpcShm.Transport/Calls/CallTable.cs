namespace GrpcShm.Transport.Calls;

/// <summary>
/// The calls of a connection by their ids. The lower 16 bits of an id are a slot, the upper ones count how often the
/// slot was used, so that a credit or a reset for an earlier call is not taken for the present one.
/// </summary>
/// <remarks>
/// The client chooses slots, the server follows. Slots are changed under the lock; the thread that receives looks
/// calls up without it, and finds a call as long as it has not been removed.
/// </remarks>
internal sealed class CallTable
{
    public const int MaxSlots = 1 << 16;

    private readonly Lock _gate = new();
    private readonly Stack<int> _free = new();
    private CallStream?[] _calls = new CallStream?[64];
    private ushort[] _uses = new ushort[64];
    private int _used;
    private int _count;
    private bool _isClosed;
    private bool _isRoomWanted;
    private bool _admitsNone;

    /// <summary>The number of calls, without those that are not counted.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Gives a call a free slot. On the client.</summary>
    /// <returns>Whether there was a free slot.</returns>
    public bool TryAdd(CallStream call, int maxCalls, out bool isFull)
    {
        lock (_gate)
        {
            isFull = !_isClosed && !_admitsNone && _count >= maxCalls;
            if (_isClosed || _admitsNone || isFull)
            {
                return false;
            }

            if (!_free.TryPop(out var slot))
            {
                slot = _used++;
                Grow(slot);
            }

            call.Id = (uint)slot | ((uint)++_uses[slot] << 16);
            Volatile.Write(ref _calls[slot], call);
            _count++;
            return true;
        }
    }

    /// <summary>
    /// Asks whether there is room for a call. If there is none, the next call that leaves reports that there is.
    /// </summary>
    /// <returns>Whether there is room, or the connection has ended, which the next attempt finds out.</returns>
    public bool AskForRoom(int maxCalls)
    {
        lock (_gate)
        {
            // Under the gate, so that no call leaves unseen between the question and the wait.
            _isRoomWanted = !_isClosed && !_admitsNone && _count >= maxCalls;
            return !_isRoomWanted;
        }
    }

    /// <summary>The call in the slot that a client wants for a call.</summary>
    public CallStream? At(uint id)
    {
        var calls = Volatile.Read(ref _calls);
        var slot = (int)(id & (MaxSlots - 1));
        return slot < calls.Length ? Volatile.Read(ref calls[slot]) : null;
    }

    /// <summary>Puts a call into the slot that its client wants. On the server.</summary>
    /// <returns>Whether the slot was free.</returns>
    public bool TryAddAt(uint id, CallStream call)
    {
        lock (_gate)
        {
            var slot = (int)(id & (MaxSlots - 1));
            Grow(slot);
            if (_isClosed || _calls[slot] is not null)
            {
                return false;
            }

            call.Id = id;
            Volatile.Write(ref _calls[slot], call);
            _count += call.IsCounted ? 1 : 0;
            return true;
        }
    }

    /// <summary>
    /// Finds a call without taking the lock. If the peer has ended the call, it may leave at any time, and its object
    /// may serve another call: see <see cref="FindOpen"/>.
    /// </summary>
    public CallStream? Find(uint id) => At(id) is { } call && call.Id == id ? call : null;

    /// <summary>
    /// Finds a call that the peer has not ended yet. By the thread that receives: only this thread ends the peer's
    /// direction, and until then the call stays.
    /// </summary>
    public CallStream? FindOpen(uint id)
    {
        if (Find(id) is not { } call)
        {
            return null;
        }

        var hasEnded = call.HasReceivedEnd;

        // It is still the same call. So the flag was read of this call, and not of the next call of the object.
        if (!ReferenceEquals(Find(id), call))
        {
            return null;
        }

        return hasEnded
            ? throw new SharedMemoryProtocolException($"The peer sent a message for call {id} after it had ended that.")
            : call;
    }

    /// <summary>Takes a call out.</summary>
    /// <param name="call">The call.</param>
    /// <param name="makesRoom">Whether a caller of <see cref="AskForRoom"/> waits for the room that there is
    /// now.</param>
    /// <returns>Whether it was the last call.</returns>
    public bool Remove(CallStream call, out bool makesRoom)
    {
        lock (_gate)
        {
            makesRoom = false;
            var slot = (int)(call.Id & (MaxSlots - 1));
            if (slot < _calls.Length && _calls[slot] == call)
            {
                _calls[slot] = null;
                if (slot < _used)
                {
                    // This side has given out the slot, so it may give it out again. A server gives out none.
                    _free.Push(slot);
                }

                makesRoom = _isRoomWanted;
                _isRoomWanted = false;
                return call.IsCounted && --_count == 0;
            }

            return false;
        }
    }

    /// <summary>
    /// Gives no further call a slot: from now on no call is added. On the client.
    /// </summary>
    public void AdmitNone()
    {
        lock (_gate)
        {
            _admitsNone = true;
        }
    }

    /// <summary>
    /// Gives the call in a slot, to a thread that goes through all slots without the lock. The call may leave at any
    /// time, and its object may serve another call.
    /// </summary>
    /// <returns>Whether the slot exists.</returns>
    public bool TryLookAt(int slot, out CallStream? call)
    {
        var calls = Volatile.Read(ref _calls);
        var exists = slot < calls.Length;
        call = exists ? Volatile.Read(ref calls[slot]) : null;
        return exists;
    }

    /// <summary>Admits no further call, and gives the calls that there are.</summary>
    public List<CallStream> Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            return [.. _calls.OfType<CallStream>()];
        }
    }

    private void Grow(int slot)
    {
        if (slot >= _calls.Length)
        {
            // At least twice as many, so that a slot near the end costs one copy and not one for each slot.
            var size = Math.Min(MaxSlots, Math.Max(slot + 1, _calls.Length * 2));
            Array.Resize(ref _uses, size);
            var calls = _calls;
            Array.Resize(ref calls, size);
            Volatile.Write(ref _calls, calls);
        }
    }
}
