namespace GrpcShm.Transport.Calls;

/// <summary>
/// What the peer may send, and what is reserved for it. All of it is settled under the gate; what follows from that, a
/// word to the peer and grants to other calls, is done when that has been left, by the same thread.
/// </summary>
internal sealed partial class ReceivedBody
{
    // Under the gate: the call has left, and the reader has its first window still.
    private bool _isWindowKept;

    /// <summary>
    /// Its place among those that wait; the connection's budget's, under its gate, as are the two below.
    /// </summary>
    public LinkedListNode<ReceivedBody> WaitingPlace => field ??= new LinkedListNode<ReceivedBody>(this);

    /// <summary>How much it waits for.</summary>
    public long Wanted { get; set; }

    /// <summary>How much is reserved for it that it has not taken.</summary>
    public long Offered { get; set; }

    /// <summary>
    /// How many bytes the peer may still send, how many are held, how many of them the reader has not seen, and how
    /// many are reserved beyond the first window.
    /// </summary>
    internal (long Unused, long Held, long Unseen, long Reserved) CreditCounts
    {
        get
        {
            lock (_gate)
            {
                return (_credit.Outstanding - _credit.Held, _credit.Held, _credit.Unseen, _credit.Reserved);
            }
        }
    }

    private ConnectionBudget? Budget => _call.Carrier?.Budget;

    /// <summary>The budget has something for it. By whoever has released that, without any gate.</summary>
    public void AcceptOffer()
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            // One that has been used for another call meanwhile has no offer, or one that is that call's.
            if (Budget is { } budget)
            {
                news.Granted = _credit.AcceptOffer(budget);
                news.Carrier = _call.Carrier;
                news.Id = _call.Id;
            }
        }

        Tell(news);
    }

    /// <summary>Nothing more comes: the peer has ended. For an input that nobody reads.</summary>
    public void EndCredit()
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            EndCreditUnderGate(ref news);
        }

        Tell(news);
    }

    /// <summary>
    /// The call has left its connection, and gives back its first window, or its reader does when it has consumed what
    /// there is.
    /// </summary>
    public void Leave()
    {
        if (!_call.HasWindow || Budget is not { } budget)
        {
            return;
        }

        // Mostly all has been consumed, and nothing more comes.
        if (_credit is not { Held: 0, Reserved: 0 })
        {
            var news = default(CreditNews);
            bool isKept;
            lock (_gate)
            {
                EndCreditUnderGate(ref news);
                _isWindowKept = isKept = _credit.Held > 0;
            }

            Tell(news);
            if (isKept)
            {
                return;
            }
        }

        budget.Leave();
    }

    private void ConsumeUnderGate(long count, ref CreditNews news)
    {
        news.Carrier = _call.Carrier;
        news.HasReleased |= _credit.Consume(Budget, count);
        if (_isWindowKept && _credit.Held == 0)
        {
            _isWindowKept = false;
            news.HasLeft = true;
        }
    }

    private void StopCreditUnderGate(ref CreditNews news)
    {
        news.Carrier = _call.Carrier;
        news.HasReleased |= _credit.Stop(Budget);
    }

    private void EndCreditUnderGate(ref CreditNews news)
    {
        news.Carrier = _call.Carrier;
        news.HasReleased |= _credit.End(Budget);
    }

    private void ExtendUnderGate(ref CreditNews news)
    {
        news.Carrier = _call.Carrier;
        news.Granted = _credit.Extend(Budget);
        news.Id = _call.Id;
        if (news.Granted < 0)
        {
            // Here, where it is still this call's body: it may serve another one as soon as the gate has been left.
            EndUnderGate(new IOException(
                $"The reader of the call has left {Budget!.MaxUnconsumed} bytes unconsumed and waits for more. Consume what has been "
                + "read, send smaller messages, or raise MaxUnconsumedBytesPerCall."));
        }
    }

    /// <summary>Tells others what has come of it. Not under the gate.</summary>
    private void Tell(in CreditNews news)
    {
        if (news is { Granted: 0, HasLeft: false, HasReleased: false } || news.Carrier is not { } carrier)
        {
            return;
        }

        if (news.Granted > 0)
        {
            _call.GiveCredit(carrier, news.Id, news.Granted);
        }

        if (news.HasLeft)
        {
            carrier.Budget!.Leave();
        }

        if (news.HasReleased)
        {
            carrier.Budget!.GrantWaiting();
        }

        if (news.Granted < 0)
        {
            _call.RefuseMore(carrier, news.Id);
        }
    }

    /// <summary>What has to be done after the gate.</summary>
    private struct CreditNews
    {
        /// <summary>
        /// How much more the peer is to be told to send; less than zero if the reader keeps more than it may.
        /// </summary>
        public int Granted;

        /// <summary>What call it is about: the object may be used for another one by the time.</summary>
        public uint Id;

        /// <summary>Its connection.</summary>
        public CallConnection? Carrier;

        /// <summary>Whether others may go on.</summary>
        public bool HasReleased;

        /// <summary>Whether the first window is given back.</summary>
        public bool HasLeft;
    }
}
