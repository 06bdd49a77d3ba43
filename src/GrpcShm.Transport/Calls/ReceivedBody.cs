using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace GrpcShm.Transport.Calls;

/// <summary>
/// The data of a call that has been copied out of the ring and waits for its reader. What the reader has examined is
/// given back to the peer as credit, so there is never more here than a call's window beyond that.
/// </summary>
/// <remarks>
/// Examined and not consumed: a reader that wants a message in one piece consumes nothing before it has all of it, and
/// the message may be larger than the window.
/// </remarks>
internal sealed class ReceivedBody : PipeReader
{
    private readonly Call _call;
    private readonly Pipe _pipe;

    // A pipe's writer is for one thread at a time; a call may be failed by another than the one that receives.
    private readonly Lock _writing = new();
    private bool _hasEnded;
    private bool _hasUnflushed;
    private ReadOnlySequence<byte> _read;
    private long _consumed;

    // How much of what the reader has not consumed it has examined.
    private long _examined;

    public ReceivedBody(Call call)
    {
        _call = call;

        // No thresholds: the peer's credit is the bound.
        _pipe = new Pipe(new PipeOptions(
            readerScheduler: new ContinuationWork.Scheduler(call),
            writerScheduler: PipeScheduler.Inline,
            pauseWriterThreshold: 0,
            resumeWriterThreshold: 0,
            minimumSegmentSize: 4096,
            useSynchronizationContext: false));
    }

    /// <summary>Adds data, which the reader sees with the next <see cref="Flush"/>, or <see cref="End()"/>.</summary>
    public void Add(ReadOnlySpan<byte> data)
    {
        lock (_writing)
        {
            if (_hasEnded)
            {
                return;
            }

            data.CopyTo(_pipe.Writer.GetSpan(data.Length));
            _pipe.Writer.Advance(data.Length);
            _hasUnflushed = true;
        }
    }

    /// <summary>Shows the reader what has been added.</summary>
    public void Flush()
    {
        lock (_writing)
        {
            if (!_hasUnflushed)
            {
                return;
            }

            _hasUnflushed = false;

            // Complete at once, since there is no threshold.
            var flush = _pipe.Writer.FlushAsync();
            Debug.Assert(flush.IsCompletedSuccessfully, "A pipe without thresholds made its writer wait.");
            flush.GetAwaiter().GetResult();
        }
    }

    /// <summary>Says that this was all.</summary>
    public void End() => End(null);

    /// <summary>Says that the rest will not come.</summary>
    public void Fail(Exception exception) => End(exception);

    public override bool TryRead(out ReadResult result)
    {
        if (!_pipe.Reader.TryRead(out result))
        {
            return false;
        }

        Show(result);
        return true;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = _pipe.Reader.ReadAsync(cancellationToken);
        if (!read.IsCompletedSuccessfully)
        {
            return WaitAsync(read);
        }

        var result = read.Result;
        try
        {
            Show(result);
        }
        catch (Exception exception)
        {
            return ValueTask.FromException<ReadResult>(exception);
        }

        return new ValueTask<ReadResult>(result);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        var consumedBytes = _read.Slice(_read.Start, consumed).Length;
        var examinedBytes = _read.Slice(_read.Start, examined).Length;
        _pipe.Reader.AdvanceTo(consumed, examined);
        _read = default;
        var count = (int)Math.Max(0, examinedBytes - _examined);
        _examined += count - consumedBytes;
        _consumed += consumedBytes;
        if (count > 0)
        {
            _call.Consumed(count);
        }
    }

    public override void CancelPendingRead() => _pipe.Reader.CancelPendingRead();

    public override void Complete(Exception? exception = null) => _pipe.Reader.Complete(exception);

    /// <summary>Makes it as new. The reader has to have completed.</summary>
    public void Reuse()
    {
        // What was discarded may have had no end.
        End();
        _pipe.Reset();
        _hasEnded = false;
        _read = default;
        _consumed = 0;
        _examined = 0;
    }

    private void End(Exception? exception)
    {
        lock (_writing)
        {
            if (!_hasEnded)
            {
                _hasEnded = true;
                _hasUnflushed = false;
                _pipe.Writer.Complete(exception);
            }
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> WaitAsync(ValueTask<ReadResult> read)
    {
        var result = await read.ConfigureAwait(false);
        Show(result);
        return result;
    }

    private void Show(in ReadResult result)
    {
        _read = result.Buffer;
        _call.CheckRead(_consumed + result.Buffer.Length);
    }
}
