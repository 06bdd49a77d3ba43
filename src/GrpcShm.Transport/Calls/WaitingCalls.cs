using System.Diagnostics.CodeAnalysis;

namespace GrpcShm.Transport.Calls;

/// <summary>The calls of a connection that wait for room in its ring, in order.</summary>
/// <remarks>
/// <para>Here a call is named by its id, and the call's object keeps nothing of its place: when the call has left the
/// connection, the object may serve another call, which may wait as well, on this connection or on another.</para>
/// <para>All fields are under the gate, which is taken inside the gate of a call and never the other way round. Only
/// <see cref="IsEmpty"/> is read without the gate: by a thread that is about to send, which may see it a little late,
/// and by a thread that takes out a call that leaves. A call is added only while it sends, is on the connection, and
/// its own gate is held. It leaves after it has been taken down under that gate. So the thread that takes it out sees
/// that it has been added.</para>
/// </remarks>
internal sealed class WaitingCalls
{
    // How many places are kept for the next waiters, so that waiting allocates nothing.
    private const int MostUnused = 64;

    private readonly Lock _gate = new();
    private readonly LinkedList<Place> _order = new();
    private readonly Dictionary<uint, LinkedListNode<Place>> _places = [];
    private readonly Stack<LinkedListNode<Place>> _unused = new();
    private int _count;

    /// <summary>How many calls wait.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Whether no call waits.</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>Queues a call, if it does not wait already. Under the call's gate.</summary>
    /// <returns>Whether no other call waits before it.</returns>
    public bool Add(CallStream call, uint id)
    {
        lock (_gate)
        {
            if (!_places.TryGetValue(id, out var node))
            {
                node = _unused.TryPop(out var unused) ? unused : new LinkedListNode<Place>(new Place());
                node.Value.Id = id;
                _places.Add(id, node);
                _order.AddLast(node);
                Volatile.Write(ref _count, _places.Count);
            }

            // A client that uses an id again at once may find the id's last call still here, which is about to leave.
            node.Value.Call = call;
            node.Value.WantsRoom = true;
            return ReferenceEquals(_order.First, node);
        }
    }

    /// <summary>Whether a call waits. Under the call's gate.</summary>
    public bool Contains(uint id)
    {
        if (IsEmpty)
        {
            return false;
        }

        lock (_gate)
        {
            return _places.ContainsKey(id);
        }
    }

    /// <summary>Takes a call out that leaves, if it waits.</summary>
    public void Remove(CallStream call, uint id)
    {
        if (IsEmpty)
        {
            return;
        }

        lock (_gate)
        {
            if (_places.TryGetValue(id, out var node) && ReferenceEquals(node.Value.Call, call))
            {
                RemoveUnderGate(node);
            }
        }
    }

    /// <summary>
    /// Gives the first call its turn, which <see cref="EndTurn"/> has to follow. By the thread that receives.
    /// </summary>
    /// <param name="call">The call. It may leave at any time, so the caller names it by its id.</param>
    /// <param name="id">The id of the call.</param>
    /// <returns>Whether any call waits.</returns>
    public bool TryBeginTurn([NotNullWhen(true)] out CallStream? call, out uint id)
    {
        lock (_gate)
        {
            if (_order.First is not { Value: var place })
            {
                (call, id) = (null, 0);
                return false;
            }

            place.WantsRoom = false;
            (call, id) = (place.Call!, place.Id);
            return true;
        }
    }

    /// <summary>Ends the turn of a call. By the thread that receives.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="hasSent">Whether the call could send anything.</param>
    /// <returns>Whether there may be room for the next call. Not if this call wants more room than there is.</returns>
    public bool EndTurn(uint id, bool hasSent)
    {
        lock (_gate)
        {
            if (!_places.TryGetValue(id, out var node))
            {
                // The call has left.
                return true;
            }

            if (!node.Value.WantsRoom)
            {
                RemoveUnderGate(node);
                return true;
            }

            if (hasSent)
            {
                // The call took the room that there was, and other calls are next. A call that wants more room than
                // there is stays first: else calls with small frames would take the room for ever.
                _order.Remove(node);
                _order.AddLast(node);
            }

            return false;
        }
    }

    private void RemoveUnderGate(LinkedListNode<Place> node)
    {
        _places.Remove(node.Value.Id);
        _order.Remove(node);
        Volatile.Write(ref _count, _places.Count);
        node.Value.Call = null;
        if (_unused.Count < MostUnused)
        {
            _unused.Push(node);
        }
    }

    private sealed class Place
    {
        public CallStream? Call { get; set; }

        public uint Id { get; set; }

        /// <summary>Whether the call has found no room since its last turn.</summary>
        public bool WantsRoom { get; set; }
    }
}
