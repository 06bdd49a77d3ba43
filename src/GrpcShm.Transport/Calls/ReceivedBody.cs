using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.ExceptionServices;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The data of a call that has been copied out of the ring and waits for its reader. What the reader has examined is
/// given back to the peer as credit, so there is never more here than a call's window beyond that.
/// </summary>
/// <remarks>
/// <para>Examined and not consumed: a reader that wants a message in one piece consumes nothing before it has all of it, and
/// the message may be larger than the window.</para>
/// <para>It keeps the rules of the reader of a <see cref="Pipe"/>, and not the pipe, whose locks, pools and schedulers cost
/// a small call a twentieth of its time.</para>
/// </remarks>
internal sealed class ReceivedBody : PipeReader
{
    private readonly Call _call;
    private readonly BodyRead _read;
    private readonly Lock _gate = new();

    // Under the gate.
    private readonly ReceivedBytes _bytes = new();

    // The furthest that a reader has examined: that much credit has been given back.
    private long _credited;

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

    // Set under the gate, and until the reader has given back the credit for what it has examined.
    private bool _isCrediting;

    public ReceivedBody(Call call)
    {
        _call = call;
        _read = new BodyRead(call, this);
    }

    private enum ReadState
    {
        None,

        // There was nothing to advance over, so another read may follow.
        ReadNothing,
        Reading,
    }

    /// <summary>Whether the reader had ended all its reads when it was completed, so that this may be used again.</summary>
    public bool IsUnused => !_isLeftInUse && _read.IsTaken;

    /// <summary>How much has come that a reader may see. For the heartbeat, which may be told of it a little late.</summary>
    public long Received => _bytes.Shown;

    /// <summary>Whether a reader waits, or has waited since some time. For the heartbeat.</summary>
    public bool IsAwaitedSince(long clock) => _read.IsWaiting || Volatile.Read(ref _awaitedAt) >= clock;

    /// <summary>Adds data, which the reader sees with the next <see cref="Show"/>, or <see cref="End"/>.</summary>
    public void Add(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            AddUnderGate(data);
        }
    }

    /// <summary>Shows the reader what has been added.</summary>
    public void Show()
    {
        lock (_gate)
        {
            if (!_hasEnded && _bytes.Show())
            {
                _hasNews = true;
                _read.Wake();
            }
        }
    }

    /// <summary>Adds the last data, if any, and says that this was all.</summary>
    public void End(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            AddUnderGate(data);
            EndUnderGate(null);
        }
    }

    /// <summary>Says that the rest will not come.</summary>
    public void Fail(Exception exception)
    {
        lock (_gate)
        {
            EndUnderGate(exception);
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
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        }

        ValueTask<ReadResult> wait;
        try
        {
            lock (_gate)
            {
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
        int count;
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
            count = (int)Math.Max(0, examinedTo - _credited);
            _credited += count;
            _isCrediting = count > 0;
            _hasNews = examinedTo < _bytes.Shown;
            _bytes.ConsumeTo(consumedTo);
        }

        if (count > 0)
        {
            _call.Consumed(count);
            Volatile.Write(ref _isCrediting, false);
        }
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
        lock (_gate)
        {
            _isCompleted = true;
            _isLeftInUse |= _state != ReadState.None || _isCrediting;
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
        }
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
            _credited = 0;
            _awaitedAt = 0;
            _hasNews = false;
            _state = ReadState.None;
            _isCanceled = false;
            _hasEnded = false;
            _isCompleted = false;
            _isLeftInUse = false;
            _failure = null;
        }
    }

    /// <summary>Whether there is something that the reader has not seen.</summary>
    private bool IsReadable => _hasNews || _hasEnded || _isCanceled;

    private void AddUnderGate(ReadOnlySpan<byte> data)
    {
        if (!_hasEnded && !_isCompleted)
        {
            _bytes.Add(data);
        }
    }

    private void EndUnderGate(Exception? failure)
    {
        if (!_hasEnded)
        {
            _hasEnded = true;
            _failure = failure;
            _bytes.Show();
            _read.Wake();
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
        if (_failure is { } failure)
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        _call.CheckRead(_bytes.Shown);
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
