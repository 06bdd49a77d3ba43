namespace GrpcShm.Transport.Calls;

/// <summary>
/// Bounds the bytes that the calls of a connection may hold, and have credit for, together. Each call has its first
/// window from its acceptance until it has left and its reader has consumed all. Further bytes come out of the rest of
/// this budget and of the listener's, at most three eighths of either, so that calls with much data leave room for
/// others to begin. A reader may have seen all data and want more before it consumes any. If nothing is left, such
/// calls wait in order. The first of them may go beyond the limit, alone, until it has given those bytes back: so a
/// message that is larger than the budget gets through, and calls never wait for each other in a circle.
/// </summary>
/// <remarks>
/// <para>At most the limit is reserved, and beyond it the bytes of the one overdrawn call: a message.</para>
/// <para>The fields: the thread that receives raises <c>_calls</c>, and any thread lowers it, by interlocked
/// operations. All other fields are under the gate. <c>_windows</c> is also written by interlocked operations, since
/// <see cref="TryEnter"/> reads it without the gate: it counts the call, then reads <c>_windows</c>;
/// <see cref="Shrink"/> sets <c>_windows</c>, then reads the count. Both are full fences, so at least one sees the
/// other: the window of a call that has entered without the gate is not given back.</para>
/// <para>The gate is taken inside the gate of a call's input, and the gate of the listener's budget inside of it, never
/// the other way round. <see cref="GrantWaiting"/> takes the gates of other calls' inputs, so a thread that has
/// released bytes calls it with no gate held; <see cref="GrantingBudget{TWaiter}"/> says why that is no
/// recursion.</para>
/// </remarks>
internal sealed class ConnectionBudget : GrantingBudget<ReceiveCredit>
{
    // First windows are taken from the listener's budget in chunks, and a few are kept, so that most calls do not need
    // the listener's budget.
    private const int Chunk = 8;
    private const int Kept = 4;

    private readonly LinkedList<ReceiveCredit> _waiting = new();
    private readonly SharedBudget? _shared;
    private readonly long _limit;
    private int _calls;
    private int _windows;
    private long _growth;
    private ReceiveCredit? _overdrawn;
    private long _overdraft;
    private bool _isTight;
    private bool _isClosed;

    public ConnectionBudget(long limit, long maxUnconsumed, SharedBudget? shared)
    {
        _limit = limit;
        _shared = shared;
        MaxUnconsumed = maxUnconsumed;
    }

    /// <summary>How many bytes a reader may leave unconsumed.</summary>
    public long MaxUnconsumed { get; }

    /// <summary>
    /// Whether calls wait, or a call is overdrawn: then no call keeps bytes that it does not need at this moment.
    /// </summary>
    public bool IsTight => Volatile.Read(ref _isTight);

    /// <summary>
    /// Whether this budget waits for the listener's budget, which owns this property, under its own gate.
    /// </summary>
    public bool IsEnlisted { get; set; }

    /// <summary>How many bytes are reserved, and how many of them beyond the limit.</summary>
    public (long Reserved, long Overdraft) Counts
    {
        get
        {
            lock (Gate)
            {
                return (((long)_calls * CallSettings.FirstWindow) + _growth + _overdraft, _overdraft);
            }
        }
    }

    /// <summary>Reserves the first window of a call. By the thread that receives.</summary>
    public bool TryEnter() => Interlocked.Increment(ref _calls) <= Volatile.Read(ref _windows) || TryExtend();

    /// <summary>Gives a first window back. Without any gate.</summary>
    public void Leave()
    {
        var calls = Interlocked.Decrement(ref _calls);
        var windows = Volatile.Read(ref _windows);
        if (windows - calls >= 2 * Chunk || (calls == 0 && windows > KeptNow) || Volatile.Read(ref _isClosed))
        {
            Shrink();
        }
    }

    /// <summary>Reserves bytes beyond first windows, unless others wait for some.</summary>
    public bool TryGrow(long count)
    {
        if (IsTight)
        {
            return false;
        }

        lock (Gate)
        {
            return _waiting.Count == 0 && TryTake(count, waits: false);
        }
    }

    /// <summary>Reserves bytes for a call that cannot go on without them. In the gate of its input.</summary>
    /// <param name="credit">The account of the call.</param>
    /// <param name="count">How many bytes; a first window at most.</param>
    /// <returns>
    /// Whether the bytes are reserved. If not, they are offered to the call later, or it has to stop waiting.
    /// </returns>
    public bool GrowOrWait(ReceiveCredit credit, long count)
    {
        lock (Gate)
        {
            if (_waiting.Count == 0 && TryTake(count, waits: true))
            {
                return true;
            }

            if (_overdrawn == credit || (_overdrawn is null && _waiting.Count == 0))
            {
                _overdrawn = credit;
                _overdraft += count;
                UpdateTight();
                return true;
            }

            credit.Wanted = count;
            _waiting.AddLast(credit.WaitingPlace);
            UpdateTight();
            return false;
        }
    }

    /// <summary>
    /// Takes the bytes that have been offered to a call that waits. In the gate of its input.
    /// </summary>
    public long TakeOffer(ReceiveCredit credit)
    {
        lock (Gate)
        {
            var offered = credit.Offered;
            credit.Offered = 0;
            return offered;
        }
    }

    /// <summary>
    /// Ends the wait of a call. In the gate of its input; <see cref="GrantWaiting"/> has to follow, for the calls
    /// behind it.
    /// </summary>
    /// <returns>How many bytes have been offered to the call just now, which the call owns.</returns>
    public long StopWaiting(ReceiveCredit credit)
    {
        lock (Gate)
        {
            if (credit.WaitingPlace.List is not null)
            {
                _waiting.Remove(credit.WaitingPlace);
                UpdateTight();
            }

            return TakeOffer(credit);
        }
    }

    /// <summary>Gives back bytes beyond a first window. In the gate of the call's input.</summary>
    /// <returns>Whether a call may wait for them, so that <see cref="GrantWaiting"/> has to follow.</returns>
    public bool Release(ReceiveCredit credit, long count)
    {
        lock (Gate)
        {
            if (_overdrawn == credit)
            {
                var paid = Math.Min(count, _overdraft);
                _overdraft -= paid;
                count -= paid;
                if (_overdraft == 0)
                {
                    _overdrawn = null;
                }

                UpdateTight();
            }

            _growth -= count;
            var isWanted = count > 0 && _shared is not null && _shared.GiveGrowth(count);
            return isWanted || _waiting.Count > 0;
        }
    }

    /// <summary>Lets waiting calls go on in order, as long as there is enough. Without any gate.</summary>
    public void GrantWaiting()
    {
        GrantInOrder();
        _shared?.GrantWaiting();
    }

    /// <summary>Ends the budget, since no further call comes. The last calls give their bytes back as usual.</summary>
    public void Close()
    {
        Interlocked.Exchange(ref _isClosed, true);
        Shrink();
    }

    protected override ReceiveCredit? TryTakeWaiting()
    {
        if (_waiting.First is not { Value: var credit })
        {
            return null;
        }

        if (!TryTake(credit.Wanted, waits: true))
        {
            if (_overdrawn is not null)
            {
                return null;
            }

            // The oldest call may always go on.
            _overdrawn = credit;
            _overdraft += credit.Wanted;
        }

        credit.Offered = credit.Wanted;
        _waiting.RemoveFirst();
        UpdateTight();
        return credit;
    }

    protected override void Grant(ReceiveCredit waiter) => waiter.AcceptOffer();

    // How many windows an idle connection keeps, as long as there is plenty for others.
    private int KeptNow => _shared is null or { HasPlenty: true } ? Kept : 0;

    private bool TryExtend()
    {
        lock (Gate)
        {
            var missing = Volatile.Read(ref _calls) - _windows;
            if (missing <= 0 || TryTakeWindows(missing + Chunk - 1) || TryTakeWindows(missing))
            {
                return true;
            }
        }

        Interlocked.Decrement(ref _calls);
        return false;
    }

    private bool TryTakeWindows(int count)
    {
        if (_growth + ((long)(_windows + count) * CallSettings.FirstWindow) > _limit
            || (_shared is not null && !_shared.TryTakeWindows(count)))
        {
            return false;
        }

        Interlocked.Add(ref _windows, count);
        return true;
    }

    private void Shrink()
    {
        bool isWanted;
        lock (Gate)
        {
            var calls = Volatile.Read(ref _calls);
            var kept = Volatile.Read(ref _isClosed) ? calls : calls == 0 ? KeptNow : calls + Chunk;
            var before = _windows;
            if (kept >= before)
            {
                return;
            }

            Interlocked.Exchange(ref _windows, kept);
            if (Volatile.Read(ref _calls) > kept)
            {
                // Calls that came meanwhile may have counted on these windows.
                Interlocked.Exchange(ref _windows, before);
                return;
            }

            isWanted = _shared is not null && _shared.GiveWindows(before - kept);
            isWanted |= _waiting.Count > 0;
        }

        if (isWanted)
        {
            GrantWaiting();
        }
    }

    private bool TryTake(long count, bool waits)
    {
        if (_growth + count > SharedBudget.LimitOfGrowth(_limit)
            || ((long)_windows * CallSettings.FirstWindow) + _growth + count > _limit
            || (_shared is not null && !_shared.TryGrow(count, waits ? this : null)))
        {
            return false;
        }

        _growth += count;
        return true;
    }

    private void UpdateTight() => Volatile.Write(ref _isTight, _waiting.Count > 0 || _overdrawn is not null);
}
