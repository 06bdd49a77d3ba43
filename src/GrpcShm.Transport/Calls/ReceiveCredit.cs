namespace GrpcShm.Transport.Calls;

/// <summary>
/// The account of the data that a call receives. It counts the bytes that the peer may still send, the bytes that wait
/// for their reader, and the bytes that are reserved for both in the budget of the connection. Under the gate of the
/// call's input, unless a member says otherwise.
/// </summary>
/// <remarks>
/// <para>Positions count from the beginning of the body: received ≤ granted, consumed ≤ examined ≤ received.
/// Outstanding bytes have been granted and not consumed: the peer may still send them, or they are held. They never
/// exceed the first window and the bytes that are reserved beyond it.</para>
/// <para>Normally a call that receives much is granted 256 KiB beyond its consumed bytes if the budget allows it, else
/// the first window. If a reader has seen all bytes and consumes none, since its message is not complete, the call is
/// granted more bytes beyond the examined ones. These come out of the budget alone, and the call waits for them if it
/// has to.</para>
/// <para>Credit that has been given cannot be taken back. If the budget does not allow more, consumed bytes are not
/// granted again, so the call holds less as its reader consumes.</para>
/// </remarks>
/// <param name="call">The call.</param>
/// <param name="gate">The gate of its input.</param>
internal sealed class ReceiveCredit(CallStream call, Lock gate)
{
    // A call that has received no more than this may receive only a little now and then. The first window is enough for
    // it.
    private const int LeastBulk = 16 * 1024;

    // For a call with more data no smaller pieces are given, even out of the first window.
    private const int LeastPiece = CallSettings.FirstWindow / 4;

    private const int Retained = CallSettings.Window - CallSettings.FirstWindow;

    private long _granted = CallSettings.FirstWindow;
    private long _received;
    private long _examined;
    private long _consumed;
    private long _reserved;
    private bool _isOver;
    private bool _hasEnded;
    private bool _isWaiting;

    // The call has left, and the reader still has its first window.
    private bool _isWindowKept;

    /// <summary>
    /// Its place among the calls that wait. This and the next two belong to the budget of the connection, under that
    /// budget's gate.
    /// </summary>
    public LinkedListNode<ReceiveCredit> WaitingPlace => field ??= new LinkedListNode<ReceiveCredit>(this);

    /// <summary>How many bytes it waits for.</summary>
    public long Wanted { get; set; }

    /// <summary>How many bytes are reserved for it that it has not taken.</summary>
    public long Offered { get; set; }

    /// <summary>
    /// How many bytes have come and have not been consumed. May be read without the gate once nothing more comes: then
    /// it only becomes less.
    /// </summary>
    public long Held => Volatile.Read(ref _received) - Volatile.Read(ref _consumed);

    /// <summary>
    /// How many bytes beyond the first window are reserved. May be read without the gate once nothing more comes.
    /// </summary>
    public long Reserved => Volatile.Read(ref _reserved);

    /// <summary>How many bytes the reader has not examined.</summary>
    public long Unseen => _received - _examined;

    /// <summary>Whether the peer has credit left. Without the gate it may be a moment old.</summary>
    public bool HasUnused => Volatile.Read(ref _granted) > Volatile.Read(ref _received);

    /// <summary>How many bytes the peer may still send, or are held.</summary>
    public long Outstanding => (_hasEnded ? _received : _granted) - _consumed;

    /// <summary>How many bytes the reader may leave unconsumed, if there is a bound.</summary>
    public long? MaxUnconsumed => Budget?.MaxUnconsumed;

    private ConnectionBudget? Budget => call.Carrier?.Budget;

    /// <summary>How much more can be granted without reserving more.</summary>
    private long Free => CallSettings.FirstWindow + _reserved - (_granted - _consumed);

    /// <summary>Notes that data has come.</summary>
    /// <returns>True if the peer had credit for it.</returns>
    public bool TryTake(int count)
    {
        if (count > _granted - _received)
        {
            return false;
        }

        Volatile.Write(ref _received, _received + count);
        return true;
    }

    /// <summary>Notes that the reader has consumed data, or that data has been dropped.</summary>
    public void Consume(long count, ref CreditNews news)
    {
        news.Carrier = call.Carrier;
        if (count != 0)
        {
            Volatile.Write(ref _consumed, _consumed + count);
            _examined = Math.Max(_examined, _consumed);
            news.HasReleased |= Settle(Budget);
        }

        if (_isWindowKept && Held == 0)
        {
            _isWindowKept = false;
            news.HasLeft = true;
        }
    }

    /// <summary>Notes that the reader has examined data up to a position.</summary>
    public void Examine(long position) => _examined = Math.Max(_examined, position);

    /// <summary>Grants nothing more, since nobody will read it.</summary>
    public void Stop(ref CreditNews news)
    {
        news.Carrier = call.Carrier;
        if (!_isOver)
        {
            _isOver = true;
            news.HasReleased |= Settle(Budget);
        }
    }

    /// <summary>Notes that the peer has ended, so that it has no use for the credit that it has left.</summary>
    public void End(ref CreditNews news)
    {
        news.Carrier = call.Carrier;
        _isOver = true;
        _hasEnded = true;
        news.HasReleased |= Settle(Budget);
    }

    /// <summary>Grants what is due now.</summary>
    /// <returns>False if the reader leaves more unconsumed than it may, and waits for more. Once.</returns>
    public bool TryExtend(ref CreditNews news)
    {
        news.Carrier = call.Carrier;
        news.Granted = Extend(Budget);
        news.Id = call.Id;
        return news.Granted >= 0;
    }

    /// <summary>
    /// Takes what the budget has offered to this call. By the thread that has released it, without any gate.
    /// </summary>
    public void AcceptOffer()
    {
        var news = default(CreditNews);
        lock (gate)
        {
            // If the object serves another call meanwhile, it has no offer, or one that is meant for that call.
            if (Budget is { } budget)
            {
                news.Granted = AcceptOffer(budget);
                news.Carrier = call.Carrier;
                news.Id = call.Id;
            }
        }

        news.Tell(call);
    }

    /// <summary>
    /// Gives back the first window, since the call has left its connection. If the reader has not consumed all, it
    /// gives the window back when it has. Without any gate.
    /// </summary>
    public void Leave()
    {
        if (!call.HasWindow || Budget is not { } budget)
        {
            return;
        }

        // Mostly all has been consumed, and nothing more comes.
        if (this is not { Held: 0, Reserved: 0 })
        {
            var news = default(CreditNews);
            bool isKept;
            lock (gate)
            {
                End(ref news);
                _isWindowKept = isKept = Held > 0;
            }

            news.Tell(call);
            if (isKept)
            {
                return;
            }
        }

        budget.Leave();
    }

    /// <summary>Begins anew. Nothing may be reserved.</summary>
    public void Reuse()
    {
        if (_reserved != 0 || _isWaiting)
        {
            throw new InvalidOperationException($"{_reserved} bytes are reserved for a call that is over.");
        }

        _granted = CallSettings.FirstWindow;
        _received = 0;
        _examined = 0;
        _consumed = 0;
        _isOver = false;
        _hasEnded = false;
    }

    /// <returns>How much more the peer is to be told to send, or less than zero.</returns>
    private int Extend(ConnectionBudget? budget)
    {
        if (_isOver || _received < LeastBulk || _isWaiting)
        {
            return 0;
        }

        var unused = _granted - _received;
        var wanted = _consumed + CallSettings.Window - _granted;
        if (wanted < CallSettings.LeastCredit && unused < CallSettings.Window / 2)
        {
            // The examined bytes are part of a larger message.
            wanted = _examined + CallSettings.Window - _granted;
        }

        if (wanted < CallSettings.LeastCredit)
        {
            return 0;
        }

        if (budget is not null)
        {
            wanted = Math.Min(wanted, _consumed + budget.MaxUnconsumed - _granted);
            if (wanted <= 0)
            {
                _isOver = unused == 0 && _examined == _received;
                return _isOver ? -1 : 0;
            }

            wanted = Reserve(budget, wanted, unused);
        }

        _granted += wanted;
        return (int)wanted;
    }

    /// <returns>How much more the peer is to be told to send.</returns>
    private int AcceptOffer(ConnectionBudget budget)
    {
        var offered = budget.TakeOffer(this);
        if (offered == 0)
        {
            // The call does not wait any more.
            return 0;
        }

        _isWaiting = false;
        Volatile.Write(ref _reserved, _reserved + offered);

        // The reader may have consumed bytes meanwhile, so that more is free than was asked for. The credit that the
        // peer has not used must not exceed its window.
        var wanted = Math.Min(Free, _received + CallSettings.Window - _granted);
        _granted += wanted;
        return (int)wanted;
    }

    /// <returns>How many of the wanted bytes can be granted.</returns>
    private long Reserve(ConnectionBudget budget, long wanted, long unused)
    {
        var missing = wanted - Free;
        if (missing <= 0)
        {
            return wanted;
        }

        if (budget.TryGrow(missing))
        {
            Volatile.Write(ref _reserved, _reserved + missing);
            return wanted;
        }

        if (Free >= LeastPiece)
        {
            return Math.Min(Free, wanted);
        }

        if (_examined < _received || unused >= LeastPiece)
        {
            // The call can go on without more credit.
            return 0;
        }

        // Only as much as the call needs to go on: when the reader has consumed the examined bytes, everything beyond
        // the first window is given back, and another call may have it.
        wanted = Math.Min(wanted, _examined + CallSettings.FirstWindow - _granted);
        missing = wanted - Free;
        if (budget.GrowOrWait(this, missing))
        {
            Volatile.Write(ref _reserved, _reserved + missing);
            return wanted;
        }

        _isWaiting = true;
        return 0;
    }

    /// <summary>Gives back reserved bytes that are not needed any more.</summary>
    private bool Settle(ConnectionBudget? budget)
    {
        if (budget is null)
        {
            return false;
        }

        var hasStopped = _isWaiting;
        if (_isWaiting)
        {
            _isWaiting = false;
            Volatile.Write(ref _reserved, _reserved + budget.StopWaiting(this));
        }

        if (_reserved == 0)
        {
            return hasStopped;
        }

        // A call with a stream of messages keeps some, since it would ask for them again with its next messages.
        var retained = _isOver || budget.IsTight ? 0 : Math.Min(_reserved, Retained);
        var excess = _reserved - Math.Max(Outstanding - CallSettings.FirstWindow, retained);
        if (excess <= 0)
        {
            return hasStopped;
        }

        Volatile.Write(ref _reserved, _reserved - excess);
        return budget.Release(this, excess) || hasStopped;
    }
}
