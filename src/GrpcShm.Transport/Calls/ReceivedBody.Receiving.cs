using System.Runtime.ExceptionServices;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The half that the receiving thread and the call use: how data is added, ends, and fails. Credit is settled under the
/// gate. What follows from that, a word to the peer and grants to other calls, is done by the same thread when the gate
/// has been left.
/// </summary>
internal sealed partial class ReceivedBody
{
    /// <summary>Adds data, which the reader sees with the next <see cref="Show"/>, or <see cref="End"/>.</summary>
    /// <param name="data">The data.</param>
    /// <param name="isDropped">True if nobody wants it.</param>
    /// <exception cref="SharedMemoryProtocolException">The peer had no credit for so much data.</exception>
    public void Add(ReadOnlySpan<byte> data, bool isDropped = false)
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            AddUnderGate(data, isDropped, ref news);
            if (!isDropped)
            {
                ExtendUnderGate(ref news);
            }
        }

        news.Tell(_call);
    }

    /// <summary>Shows the reader the data that has been added.</summary>
    public void Show()
    {
        lock (_gate)
        {
            ShowUnderGate();
        }
    }

    /// <summary>Adds the last data, if any, and ends the body.</summary>
    /// <param name="data">The data.</param>
    /// <param name="isDropped">True if nobody wants it.</param>
    /// <exception cref="SharedMemoryProtocolException">The peer had no credit for so much data.</exception>
    public void End(ReadOnlySpan<byte> data, bool isDropped = false)
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            AddUnderGate(data, isDropped, ref news);
            EndUnderGate(null);

            // If a failure has been settled and is shown later, there is no end: until then the reader has the data
            // that has come.
            ShowUnderGate();
            _credit.End(ref news);
        }

        news.Tell(_call);
    }

    /// <summary>Ends the data with a failure: the rest will not come.</summary>
    /// <param name="exception">The exception that the reader gets.</param>
    /// <param name="byPeer">True if the peer will send no more. If not, the peer may use up the credit that it
    /// has.</param>
    public void Fail(Exception exception, bool byPeer)
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            EndUnderGate(exception);
            if (byPeer)
            {
                _credit.End(ref news);
            }
            else
            {
                _credit.Stop(ref news);
            }
        }

        news.Tell(_call);
    }

    /// <summary>
    /// Settles which failure <see cref="ShowFailure"/> will show to the reader. Until then the reader goes on to wait.
    /// </summary>
    /// <param name="exception">The exception that the reader gets, unless it has the end already, or another
    /// reason.</param>
    /// <param name="byPeer">True if the peer will send no more.</param>
    public void Settle(Exception exception, bool byPeer)
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            if (!_hasEnded)
            {
                _failure ??= exception;
                _isSettled = true;
            }

            if (byPeer)
            {
                _credit.End(ref news);
            }
            else
            {
                _credit.Stop(ref news);
            }
        }

        news.Tell(_call);
    }

    /// <summary>Shows the reader the failure that has been settled.</summary>
    public void ShowFailure()
    {
        lock (_gate)
        {
            if (!_hasEnded)
            {
                ShowEndUnderGate();
            }
        }
    }

    /// <summary>
    /// Notes that the peer has ended, for an input that nobody reads: it gives back the credit that is left.
    /// </summary>
    public void EndCredit()
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            _credit.End(ref news);
        }

        news.Tell(_call);
    }

    /// <inheritdoc cref="ReceiveCredit.Leave"/>
    public void Leave() => _credit.Leave();

    /// <summary>
    /// Throws the failure of the call, if the call had failed before a read was ended by its own token.
    /// </summary>
    internal void ThrowIfSettled()
    {
        lock (_gate)
        {
            ThrowIfSettledUnderGate();
        }
    }

    private void ShowUnderGate()
    {
        if (!_hasEnded && _bytes.Show())
        {
            _hasNews = true;
            _read.Wake();
        }
    }

    private void AddUnderGate(ReadOnlySpan<byte> data, bool isDropped, ref CreditNews news)
    {
        if (!_credit.TryTake(data.Length))
        {
            throw new SharedMemoryProtocolException(
                $"The peer sent more data for call {_call.Id} than it had credit for.");
        }

        if (isDropped || _hasEnded || _isCompleted)
        {
            _credit.Consume(data.Length, ref news);
        }
        else
        {
            _bytes.Add(data);
        }
    }

    private void ExtendUnderGate(ref CreditNews news)
    {
        if (!_credit.TryExtend(ref news))
        {
            // Here, where it is still this call's body: it may serve another call as soon as the gate has been left.
            EndUnderGate(new IOException(
                $"The reader of the call has left {_credit.MaxUnconsumed} bytes unconsumed and waits for more. Consume "
                + "the bytes that have been read, send smaller messages, or raise MaxUnconsumedBytesPerCall."));
        }
    }

    private void EndUnderGate(Exception? failure)
    {
        // A failure that has been settled is shown in its time.
        if (!_hasEnded && !_isSettled)
        {
            _failure = failure;
            ShowEndUnderGate();
        }
    }

    private void ShowEndUnderGate()
    {
        _hasEnded = true;
        _bytes.Show();
        _read.Wake();
    }

    private void ThrowIfSettledUnderGate()
    {
        if (_isSettled)
        {
            ExceptionDispatchInfo.Throw(_failure!);
        }
    }
}
