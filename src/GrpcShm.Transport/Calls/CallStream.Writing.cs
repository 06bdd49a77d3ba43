using System.IO.Pipelines;

namespace GrpcShm.Transport.Calls;

/// <summary>What the writer of a call's output does.</summary>
internal sealed partial class CallStream
{
    /// <summary>
    /// Keeps what is flushed until it is let go, as long as it is little: for a sender who is about to complete.
    /// </summary>
    public bool HoldsFlushes { get; set; }

    public void ThrowIfOutputCompleted()
    {
        if (_isOutputCompleted)
        {
            throw new InvalidOperationException("The call's output has been completed.");
        }
    }

    /// <summary>Sends what has been written, and waits until all of it is in the ring.</summary>
    /// <param name="borrowed">More to send, which stays the caller's until the wait is over.</param>
    /// <param name="cancellationToken">Ends the wait; what was written is still sent.</param>
    public ValueTask<FlushResult> FlushAsync(ReadOnlyMemory<byte> borrowed, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        if (HoldsFlushes && borrowed.IsEmpty && _output.Written.Length < Connection.MaxFrame / 2)
        {
            return new ValueTask<FlushResult>(default(FlushResult));
        }

        ValueTask<FlushResult> wait;
        bool leaves;
        lock (_gate)
        {
            // One that has been woken and not run yet must have run before it can be started again.
            if (_flush.IsWaiting || (!IsOutputOver && _flush.IsUnderWay))
            {
                throw new InvalidOperationException("A flush of the call's output is under way.");
            }

            _isReleased = true;
            if (!borrowed.IsEmpty)
            {
                // What was written before goes before.
                _sending.TakeAll(_output.Written);
                _borrowed = borrowed;
            }

            leaves = PumpWritten();
            if (IsOutputOver)
            {
                _borrowed = default;

                // As one that began to wait before the call failed.
                wait = TellsLater && !_flush.IsUnderWay
                    ? _flush.Start()
                    : new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
            }
            else if (HasAllSent && _output.Written.IsEmpty)
            {
                wait = new ValueTask<FlushResult>(default(FlushResult));
            }
            else
            {
                _sending.TakeAll(_output.Written);
                wait = _flush.Start();
            }
        }

        LeaveIf(leaves);

        if (!wait.IsCompleted)
        {
            _flush.CancelBy(cancellationToken);
        }

        return wait;
    }

    /// <summary>Ends a wait of <see cref="FlushAsync"/>; what was to be sent is still sent.</summary>
    public void CancelFlush(bool byToken = false)
    {
        lock (_gate)
        {
            if (!_borrowed.IsEmpty)
            {
                // The caller has its memory back when the wait is over.
                _borrowed.CopyTo(_sending.GetMemory(_borrowed.Length));
                _sending.Advance(_borrowed.Length);
                _borrowed = default;
            }

            _flush.Wake(isCompleted: false, isCanceled: !byToken, byToken);
        }
    }

    /// <summary>Ends this direction: what has been written goes, with the trailers if there are any.</summary>
    public void EndOutput()
    {
        bool leaves;
        lock (_gate)
        {
            if (_isOutputCompleted)
            {
                return;
            }

            _isOutputCompleted = true;
            _isReleased = true;
            leaves = PumpWritten();
            _sending.TakeAll(_output.Written);
        }

        LeaveIf(leaves);
    }

    /// <summary>Sends what has been written, as far as there is room, and does not wait for the rest.</summary>
    public void Release()
    {
        bool leaves;
        lock (_gate)
        {
            _isReleased = true;
            leaves = PumpWritten();
            _sending.TakeAll(_output.Written);
        }

        LeaveIf(leaves);
    }

    /// <summary>Drops what has been written since the last flush. By the writer.</summary>
    public void DropWritten() => _output.Written.Clear();

    /// <summary>Sends what has been written as well; drops it if nothing goes any more. Under the gate.</summary>
    private bool PumpWritten()
    {
        var leaves = Pump(_output.Written, isResumed: false);
        if (IsOutputOver)
        {
            _output.Written.Clear();
        }

        return leaves;
    }
}
