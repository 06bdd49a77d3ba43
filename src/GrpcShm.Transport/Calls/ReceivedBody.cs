using System.IO.Pipelines;
using System.Runtime.ExceptionServices;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The data of a call that has been copied out of the ring and waits for its reader. The peer is told to send more as
/// the reader goes on, and as the budget of the connection allows: see <see cref="ReceiveCredit"/>.
/// </summary>
/// <remarks>
/// <para>It keeps the rules of the reader of a <see cref="Pipe"/>, and not the pipe, whose locks, pools and schedulers
/// cost a small call a twentieth of its time.</para>
/// </remarks>
internal sealed partial class ReceivedBody : PipeReader
{
    private readonly CallStream _call;
    private readonly BodyRead _read;
    private readonly Lock _gate = new();

    // Under the gate.
    private readonly ReceivedBytes _bytes = new();
    private readonly ReceiveCredit _credit;

    // Until a read has examined all that there was at its end.
    private bool _hasNews;
    private ReadState _state;
    private bool _isCanceled;
    private bool _hasEnded;
    private bool _isCompleted;
    private bool _isLeftInUse;
    private Exception? _failure;

    // When a reader began to wait for the last time.
    private long _awaitedAt;

    public ReceivedBody(CallStream call)
    {
        _call = call;
        _read = new BodyRead(call, this);
        _credit = new ReceiveCredit(this);
    }

    private enum ReadState
    {
        None,

        // There was nothing to advance over, so another read may follow.
        ReadNothing,
        Reading,
    }

    /// <summary>
    /// Whether the reader had ended all its reads when it was completed, so that this may be used again.
    /// </summary>
    public bool IsUnused => !_isLeftInUse && _read.IsTaken;

    /// <summary>
    /// How much has come that a reader may see. For the heartbeat, which may be told of it a little late.
    /// </summary>
    public long Received => _bytes.Shown;

    /// <summary>Whether the peer may send more right now. For the heartbeat.</summary>
    public bool HasCredit => _credit.HasUnused;

    /// <summary>Whether a reader waits, or has waited since some time. For the heartbeat.</summary>
    public bool IsAwaitedSince(long clock) => _read.IsWaiting || Volatile.Read(ref _awaitedAt) >= clock;

    /// <summary>Adds data, which the reader sees with the next <see cref="Show"/>, or <see cref="End"/>.</summary>
    /// <param name="data">The data.</param>
    /// <param name="isDropped">Whether nobody wants it.</param>
    /// <exception cref="SharedMemoryProtocolException">It is more than there was credit for.</exception>
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

        Tell(news);
    }

    /// <summary>Shows the reader what has been added.</summary>
    public void Show()
    {
        lock (_gate)
        {
            ShowUnderGate();
        }
    }

    /// <summary>Adds the last data, if any, and says that this was all.</summary>
    /// <param name="data">The data.</param>
    /// <param name="isDropped">Whether nobody wants it.</param>
    /// <exception cref="SharedMemoryProtocolException">It is more than there was credit for.</exception>
    public void End(ReadOnlySpan<byte> data, bool isDropped = false)
    {
        var news = default(CreditNews);
        lock (_gate)
        {
            AddUnderGate(data, isDropped, ref news);
            EndUnderGate(null);

            // Where a failure has been settled and is told later, there is no end: until then the reader has what has
            // come.
            ShowUnderGate();
            EndCreditUnderGate(ref news);
        }

        Tell(news);
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
                if (cancellationToken.IsCancellationRequested)
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

            var consumedTo = PositionOf(consumed, _bytes.Consumed);
            var examinedTo = PositionOf(examined, consumedTo);
            if (consumedTo < _bytes.Consumed || consumedTo > examinedTo || examinedTo > _bytes.Shown)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(consumed), "What is consumed must have been read, and must not lie behind what is examined.");
            }

            _state = ReadState.None;
            _hasNews = examinedTo < _bytes.Shown;
            _credit.Examine(examinedTo);
            ConsumeUnderGate(consumedTo - _bytes.Consumed, ref news);
            _bytes.ConsumeTo(consumedTo);
            ExtendUnderGate(ref news);
        }

        Tell(news);
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
                // Somebody may be looking at it still, as a handler does that has left a reader behind.
                _bytes.Forget();
            }
            else
            {
                _bytes.Drop();
            }

            _state = ReadState.None;
            _read.Wake();
            ConsumeUnderGate(_credit.Held, ref news);
            StopCreditUnderGate(ref news);
        }

        Tell(news);
    }

    /// <summary>The token of a read has fired.</summary>
    internal void CancelRead()
    {
        lock (_gate)
        {
            _read.Wake(byToken: true);
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

    /// <summary>Makes it as new. The reader has to have completed.</summary>
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

    /// <summary>Whether there is something that the reader has not seen.</summary>
    private bool IsReadable => _hasNews || _hasEnded || _isCanceled;

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
            ConsumeUnderGate(data.Length, ref news);
        }
        else
        {
            _bytes.Add(data);
        }
    }

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

        // One that is settled and not told yet is for a later read: until then there is what had come.
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

    /// <summary>Where in the body a position is that a reader gives back.</summary>
    /// <param name="position">The position.</param>
    /// <param name="ofNothing">Where it is if it is one of an empty buffer.</param>
    private static long PositionOf(SequencePosition position, long ofNothing) => position.GetObject() switch
    {
        null => ofNothing,
        BodySegment segment => segment.RunningIndex + position.GetInteger(),
        _ => throw new ArgumentOutOfRangeException(nameof(position), "The position is not one of what was read."),
    };
}
