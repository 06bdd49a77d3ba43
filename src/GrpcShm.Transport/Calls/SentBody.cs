using System.Buffers;
using System.IO.Pipelines;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The writer of the data that a call sends. The data is gathered in private memory, so that a serializer that throws
/// or blocks never holds a piece of the ring. It is sent with the next flush or with the end, in one frame if it fits.
/// </summary>
internal sealed class SentBody(CallStream stream, CallLife life, FailureNotice notice, SendingHalf half) : PipeWriter
{
    // Less data than this is copied, since that costs less than to wait until the caller's own memory has been sent.
    private const int LeastBorrowed = 16 * 1024;

    // The data that has been written since the last flush. Only for the writer's thread.
    private readonly SpillBuffer _written = new();

    // The data that was lent behind it. Only for the writer's thread.
    private Lent _lent;

    /// <summary>
    /// Whether a small amount of flushed data is kept until <see cref="Release"/>: for a sender that is about to
    /// complete.
    /// </summary>
    public bool HoldsFlushes { get; set; }

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _written.Length + (_lent.Memory is null ? 0 : _lent.Data.Length);

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ThrowIfCompleted();
        KeepLent();
        return _written.GetMemory(Math.Max(sizeHint, 1));
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes) => _written.Advance(bytes);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        FlushAsync(TakeLent(), cancellationToken);

    /// <summary>
    /// As <see cref="FlushAsync(CancellationToken)"/>, but a peer that sleeps may be woken later, together with what is
    /// sent to it next; see <see cref="Signaling.Reactor.TryOwe"/>.
    /// </summary>
    public ValueTask<FlushResult> FlushQuietlyAsync(CancellationToken cancellationToken) =>
        FlushAsync(TakeLent(), cancellationToken, isQuiet: true);

    public override ValueTask<FlushResult> WriteAsync(
        ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        ThrowIfCompleted();
        KeepLent();
        if (source.Length >= LeastBorrowed)
        {
            return FlushAsync(new Lent(new ReadOnlySequence<byte>(source)), cancellationToken);
        }

        _written.Add(source.Span);
        return FlushAsync(default, cancellationToken);
    }

    /// <summary>
    /// Lends data, which is sent behind all that has been written, with the next flush or with the end.
    /// </summary>
    /// <param name="data">The data. It must not change while it is used.</param>
    /// <param name="memory">The memory, of which the caller gives a use away.</param>
    public void Lend(in ReadOnlySequence<byte> data, ILentMemory memory)
    {
        ThrowIfCompleted();
        KeepLent();
        _lent = new Lent(data, memory);
    }

    /// <summary>
    /// Copies data that was lent, since other data follows it, or the lender does not wait for the next flush.
    /// </summary>
    public void KeepLent()
    {
        if (_lent.Memory is null)
        {
            return;
        }

        var lent = TakeLent();
        try
        {
            foreach (var piece in lent.Data)
            {
                _written.Add(piece.Span);
            }
        }
        catch
        {
            // There is no memory for all of it, and a part must not be taken for the whole.
            stream.Reset(CallError.Internal);
            throw;
        }
        finally
        {
            lent.Memory!.Leave();
        }
    }

    public override void CancelPendingFlush() => CancelFlush();

    /// <summary>Completes the data. With an exception the rest is dropped and the call is reset.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (exception is not null)
        {
            stream.Reset(CallError.Internal);
        }

        End();
    }

    /// <summary>
    /// Ends this direction: sends the written data, with the trailers if there are any. A second call has no effect.
    /// </summary>
    public void End()
    {
        bool leaves;
        lock (life.Gate)
        {
            if (half.IsCompleted)
            {
                return;
            }

            leaves = half.Complete(_written, TakeLent());
        }

        stream.LeaveIf(leaves);
    }

    /// <summary>Sends the written data, as far as there is room, and does not wait for the rest.</summary>
    public void Release()
    {
        bool leaves;
        lock (life.Gate)
        {
            leaves = half.Release(_written, TakeLent());
            half.Keep(_written);
        }

        stream.LeaveIf(leaves);
    }

    /// <summary>Drops the data that has been written since the last flush. By the writer.</summary>
    public void Drop()
    {
        _written.Clear();
        TakeLent().Memory?.Leave();
    }

    /// <summary>Ends the wait of a flush; its data is still sent. Any thread.</summary>
    public void CancelFlush(bool byToken = false)
    {
        lock (life.Gate)
        {
            // When the wait is over, the caller owns its memory again.
            half.GiveBack(keepsCopy: true);
            half.Flush.Wake(isCompleted: false, isCanceled: !byToken, byToken);
        }
    }

    /// <exception cref="InvalidOperationException">The output has been completed.</exception>
    public void ThrowIfCompleted()
    {
        if (half.IsCompleted)
        {
            throw new InvalidOperationException("The call's output has been completed.");
        }
    }

    /// <summary>Resets it for the next call. It has to be completed, and the call has to have left.</summary>
    public void Reuse()
    {
        Drop();
        HoldsFlushes = false;
    }

    /// <summary>Sends the written data, and waits until all of it is in the ring.</summary>
    /// <param name="lent">More data to send, which belongs to somebody else; it must not change until the wait is over.
    /// </param>
    /// <param name="cancellationToken">Ends the wait; the written data is still sent.</param>
    /// <param name="isQuiet">Whether a peer that sleeps may be woken later.</param>
    private ValueTask<FlushResult> FlushAsync(
        in Lent lent, CancellationToken cancellationToken, bool isQuiet = false)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            Restore(lent);
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        }

        if (HoldsFlushes && lent.IsEmpty && _written.Length < life.Connection.MaxFrame / 2)
        {
            return new ValueTask<FlushResult>(default(FlushResult));
        }

        var flush = half.Flush;
        ValueTask<FlushResult> wait;
        bool leaves;
        lock (life.Gate)
        {
            // A wait that has been woken must have run before it can be started again.
            if (flush.IsWaiting || (!half.IsOver && flush.IsUnderWay))
            {
                Restore(lent);
                throw new InvalidOperationException("A flush of the call's output is under way.");
            }

            leaves = half.Release(_written, lent, isQuiet);
            if (half.IsOver)
            {
                half.GiveBack(keepsCopy: false);

                // Wait, like a flush that began to wait before the call failed.
                wait = notice.IsPending && !flush.IsUnderWay
                    ? flush.Start()
                    : new ValueTask<FlushResult>(new FlushResult(isCanceled: false, isCompleted: true));
            }
            else if (half.HasAllSent && _written.IsEmpty)
            {
                wait = new ValueTask<FlushResult>(default(FlushResult));
            }
            else
            {
                half.Keep(_written);
                wait = flush.Start();
            }
        }

        stream.LeaveIf(leaves);

        if (!wait.IsCompleted)
        {
            flush.CancelBy(cancellationToken);
        }

        return wait;
    }

    /// <summary>Leaves data that was lent to the next flush, since this one has not begun.</summary>
    private void Restore(in Lent lent)
    {
        if (lent.Memory is not null)
        {
            _lent = lent;
        }
    }

    private Lent TakeLent()
    {
        if (_lent.Memory is null)
        {
            return default;
        }

        var lent = _lent;
        _lent = default;
        return lent;
    }
}
