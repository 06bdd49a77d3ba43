using System.IO.Pipelines;
using System.Runtime.ExceptionServices;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The data of a call that has been copied out of the ring and waits for its reader. The peer is told to send more as
/// the reader goes on, and as the budget of the connection allows: see <see cref="ReceiveCredit"/>.
/// </summary>
/// <remarks>
/// It keeps the rules of the reader of a <see cref="Pipe"/>, but does not use the pipe, whose locks, pools and
/// schedulers cost a small call a twentieth of its time.
/// </remarks>
internal sealed partial class ReceivedBody : PipeReader
{
    private readonly CallStream _call;
    private readonly BodyRead _read;
    private readonly Lock _gate = new();

    // Under the gate.
    private readonly ReceivedBytes _bytes = new();
    private readonly ReceiveCredit _credit;

    // True until a read has examined all that there was when it ended.
    private bool _hasNews;
    private ReadState _state;
    private bool _isCanceled;
    private bool _hasEnded;
    private bool _isCompleted;
    private bool _isLeftInUse;
    private Exception? _failure;

    // True if the failure was settled before the reader is told. Then the failure counts more than its consequences,
    // such as a token of the reader's own that fires.
    private bool _isSettled;

    // When a reader last began to wait.
    private long _awaitedAt;

    public ReceivedBody(CallStream call)
    {
        _call = call;
        _read = new BodyRead(call, this);
        _credit = new ReceiveCredit(call, _gate);
    }

    private enum ReadState
    {
        None,

        // There was nothing to advance over, so another read may follow.
        ReadNothing,
        Reading,
    }

    /// <summary>
    /// True if the reader had ended all its reads when it was completed, so that this object may be used again.
    /// </summary>
    public bool IsUnused => !_isLeftInUse && _read.IsTaken;

    /// <summary>
    /// How many bytes have come that a reader may see. For the heartbeat, which may see the number a little late.
    /// </summary>
    public long Received => _bytes.Shown;

    /// <summary>True if the peer may send more right now. For the heartbeat.</summary>
    public bool HasCredit => _credit.HasUnused;

    /// <summary>True if a reader waits, or has begun to wait since a time. For the heartbeat.</summary>
    public bool IsAwaitedSince(long clock) => _read.IsWaiting || Volatile.Read(ref _awaitedAt) >= clock;

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

    public override bool TryRead(out ReadResult result)
    {
        lock (_gate)
        {
            ThrowIfReading();
            if (!IsReadable)
            {
                result = default;
                return false;
            }

            result = Take();
            return true;
        }
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        ValueTask<ReadResult> wait;
        try
        {
            lock (_gate)
            {
                if (cancellationToken.IsCancellationRequested && !IsFailureDue)
                {
                    ThrowIfSettledUnderGate();
                    return ValueTask.FromCanceled<ReadResult>(cancellationToken);
                }

                ThrowIfReading();
                if (IsReadable)
                {
                    return new ValueTask<ReadResult>(Take());
                }

                _awaitedAt = _call.Now;
                wait = _read.Start();
            }
        }
        catch (Exception exception)
        {
            return ValueTask.FromException<ReadResult>(exception);
        }

        _read.CancelBy(cancellationToken);
        return wait;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            if (_state == ReadState.None)
            {
                throw new InvalidOperationException("There is no read to end: AdvanceTo follows a read, once.");
            }

            var consumedTo = ReceivedBytes.PositionOf(consumed, _bytes.Consumed);
            var examinedTo = ReceivedBytes.PositionOf(examined, consumedTo);
            if (consumedTo < _bytes.Consumed || consumedTo > examinedTo || examinedTo > _bytes.Shown)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(consumed),
                    "The consumed position must have been read, and must not lie behind the examined position.");
            }

            _state = ReadState.None;
            _hasNews = examinedTo < _bytes.Shown;
            _credit.Examine(examinedTo);
            _credit.Consume(consumedTo - _bytes.Consumed, ref news);
            _bytes.ConsumeTo(consumedTo);
            ExtendUnderGate(ref news);
        }

        news.Tell(_call);
    }

    public override void CancelPendingRead()
    {
        lock (_gate)
        {
            _isCanceled = true;
            _read.Wake();
        }
    }

    public override void Complete(Exception? exception = null)
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            _isCompleted = true;
            _isLeftInUse |= _state != ReadState.None;
            if (_state == ReadState.Reading)
            {
                // Somebody may still look at the bytes, as a handler does that has left a reader behind.
                _bytes.Forget();
            }
            else
            {
                _bytes.Drop();
            }

            _state = ReadState.None;
            _read.Wake();
            _credit.Consume(_credit.Held, ref news);
            _credit.Stop(ref news);
        }

        news.Tell(_call);
    }

    /// <summary>Ends a read whose token has fired.</summary>
    internal void CancelRead()
    {
        lock (_gate)
        {
            if (!IsFailureDue)
            {
                _read.Wake(byToken: true);
            }
        }
    }

    /// <summary>Ends a read that had to wait.</summary>
    internal ReadResult TakeAwaited()
    {
        lock (_gate)
        {
            ThrowIfReading();
            return Take();
        }
    }

    /// <summary>Resets it for the next call. The reader has to have completed.</summary>
    public void Reuse()
    {
        lock (_gate)
        {
            _bytes.Reuse();
            _awaitedAt = 0;
            _credit.Reuse();
            _hasNews = false;
            _state = ReadState.None;
            _isCanceled = false;
            _hasEnded = false;
            _isCompleted = false;
            _isLeftInUse = false;
            _failure = null;
            _isSettled = false;
        }
    }

    /// <summary>
    /// True if a failure has been settled that is not shown yet. The token of a read may have fired by that failure,
    /// and others who have to know of it first may not know it yet: so the token does not end the read. The failure
    /// will.
    /// </summary>
    private bool IsFailureDue => _isSettled && !_hasEnded;

    /// <summary>True if there is something that the reader has not seen.</summary>
    private bool IsReadable => _hasNews || _hasEnded || _isCanceled;

    private void ThrowIfReading()
    {
        if (_isCompleted)
        {
            throw new InvalidOperationException("Reading is over: the reader has been completed.");
        }

        if (_state == ReadState.Reading || _read.IsUnderWay)
        {
            throw new InvalidOperationException("A read is under way. AdvanceTo ends it.");
        }
    }

    private ReadResult Take()
    {
        _call.CheckRead(_bytes.Shown);

        // A failure that is settled and not shown yet is for a later read: this read gets the data that had come.
        if (_hasEnded && _failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        var buffer = _bytes.Rest;
        var result = new ReadResult(buffer, _isCanceled, _hasEnded);
        _isCanceled = false;
        _state = buffer.IsEmpty ? ReadState.ReadNothing : ReadState.Reading;
        return result;
    }
}
