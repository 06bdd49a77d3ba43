namespace GrpcShm.Transport.Calls;

/// <summary>
/// Bounds the bytes that the calls of all connections of a listener may hold, and have credit for, together. Most of it
/// is for first windows alone, so that calls with much data cannot lock out calls with little.
/// </summary>
/// <remarks>
/// All fields are under the gate. It is taken last: inside the gate of a connection's budget, which is taken inside the
/// gate of a call's input. A thread that releases bytes grants them to the waiters, with none of these gates held.
/// </remarks>
internal sealed class SharedBudget(long limit) : GrantingBudget<ConnectionBudget>
{
    private readonly Queue<ConnectionBudget> _waiting = new();
    private long _windows;
    private long _growth;
    private bool _hasPlenty = true;

    /// <summary>How many bytes are reserved.</summary>
    public long Reserved
    {
        get
        {
            lock (Gate)
            {
                return _windows + _growth;
            }
        }
    }

    /// <summary>How many bytes of a limit may be used beyond first windows.</summary>
    public static long LimitOfGrowth(long limit) => limit / 8 * 3;

    /// <summary>Whether less than half is in use, so that connections may keep a little for their next calls.</summary>
    public bool HasPlenty => Volatile.Read(ref _hasPlenty);

    /// <summary>Reserves first windows.</summary>
    public bool TryTakeWindows(int count)
    {
        var bytes = (long)count * CallSettings.FirstWindow;
        lock (Gate)
        {
            if (_windows + _growth + bytes > limit)
            {
                return false;
            }

            _windows += bytes;
            UpdatePlenty();
            return true;
        }
    }

    /// <summary>Gives first windows back.</summary>
    /// <returns>Whether a connection waits, so that <see cref="GrantWaiting"/> has to follow.</returns>
    public bool GiveWindows(int count)
    {
        lock (Gate)
        {
            _windows -= (long)count * CallSettings.FirstWindow;
            UpdatePlenty();
            return _waiting.Count > 0;
        }
    }

    /// <summary>Reserves bytes beyond first windows.</summary>
    /// <param name="count">How many.</param>
    /// <param name="waiter">The connection to queue if there is not enough, unless it is queued already.</param>
    public bool TryGrow(long count, ConnectionBudget? waiter)
    {
        lock (Gate)
        {
            if (HasRoom(count))
            {
                _growth += count;
                UpdatePlenty();
                return true;
            }

            if (waiter is { IsEnlisted: false })
            {
                waiter.IsEnlisted = true;
                _waiting.Enqueue(waiter);
            }

            return false;
        }
    }

    /// <summary>Gives bytes beyond first windows back.</summary>
    /// <returns>Whether a connection waits, so that <see cref="GrantWaiting"/> has to follow.</returns>
    public bool GiveGrowth(long count)
    {
        lock (Gate)
        {
            _growth -= count;
            UpdatePlenty();
            return _waiting.Count > 0;
        }
    }

    /// <summary>
    /// Lets waiting connections go on in order, as long as there is enough. Without any gate.
    /// </summary>
    public void GrantWaiting() => GrantInOrder();

    protected override ConnectionBudget? TryTakeWaiting()
    {
        // A connection that waits wants a first window at most.
        if (!HasRoom(CallSettings.FirstWindow) || !_waiting.TryDequeue(out var connection))
        {
            return null;
        }

        connection.IsEnlisted = false;
        return connection;
    }

    // If there is not enough after all, the connection waits again; another one has taken the bytes.
    protected override void Grant(ConnectionBudget waiter) => waiter.GrantWaiting();

    private bool HasRoom(long count) => _growth + count <= LimitOfGrowth(limit) && _windows + _growth + count <= limit;

    private void UpdatePlenty() => Volatile.Write(ref _hasPlenty, _windows + _growth < limit / 2);
}
