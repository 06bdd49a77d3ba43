using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Http;

/// <summary>
/// The body of a response as a stream. The call belongs to it until its end has been read, or until it is closed, which
/// gives a call up that has not ended.
/// </summary>
internal sealed class ResponseStream(HttpExchange exchange, HttpResponseMessage response) : Stream
{
    private const int Idle = 0;
    private const int Reading = 1;
    private const int Closed = 2;

    // A stream of small messages is read in two small pieces each. With so much waiting, as much is taken over at once.
    private const int LeastAhead = 1024;
    private const int AheadSize = 4096;

    private HttpExchange? _exchange = exchange;
    private Abandonment? _guard;
    private int _state;
    private bool _hasEnded;
    private byte[]? _ahead;
    private int _aheadStart;
    private int _aheadEnd;

    public override bool CanRead => (Volatile.Read(ref _state) & Closed) == 0 || _hasEnded;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Sees to it that the call is given up if nobody reads, or closes, this.</summary>
    public void Guard(ClientCall current) => _guard = new Abandonment(current);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<int>(cancellationToken);
        }

        var state = Interlocked.CompareExchange(ref _state, Reading, Idle);
        if (state != Idle)
        {
            return CannotRead(state);
        }

        int count;
        try
        {
            if (_aheadStart < _aheadEnd)
            {
                count = TakeAhead(buffer.Span);
            }
            else if (_exchange!.Call.CallStream.Input.TryRead(out var result))
            {
                count = Take(result, buffer.Span);
            }
            else
            {
                return WaitAsync(buffer, cancellationToken);
            }
        }
        catch (Exception exception)
        {
            Leave();
            return ValueTask.FromException<int>(Failure(exception, cancellationToken));
        }

        // Not in there: it may throw what a listener has thrown, and must not be done twice.
        Leave();
        return new ValueTask<int>(count);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Abandon();
        }

        base.Dispose(disposing);
    }

    private void Abandon()
    {
        // Before the state is looked at: if that says that the call is still this stream's, so was this.
        var current = _exchange;
        var before = Interlocked.Or(ref _state, Closed);
        if (current is null || (before & Closed) != 0)
        {
            return;
        }

        _guard?.Dispose();
        current.Call.Abandon();
        if ((before & Reading) == 0)
        {
            _exchange = null;
            current.Call.EndResponse(isRead: false);
        }
        else
        {
            // The reader ends the rest. Without having read to the end, the call is not reused, so this is still it.
            current.Call.CallStream.Input.CancelPendingRead();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            var input = _exchange!.Call.CallStream.Input;
            return Take(await input.ReadAsync(cancellationToken).ConfigureAwait(false), buffer.Span);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw Failure(exception, cancellationToken);
        }
        finally
        {
            Leave();
        }
    }

    /// <summary>
    /// As in .NET's own handler: where the reader's token has fired, that is why, whatever it has led to first.
    /// </summary>
    private static Exception Failure(Exception exception, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested && exception is not OperationCanceledException
            ? new OperationCanceledException(exception.Message, exception, cancellationToken)
            : CallFailures.Reading(exception);

    private int Take(in ReadResult result, Span<byte> destination)
    {
        var input = _exchange!.Call.CallStream.Input;
        var available = result.Buffer;
        if (result.IsCanceled)
        {
            input.AdvanceTo(available.Start);
            throw new IOException("The request was aborted: its response has been disposed.");
        }

        var count = (int)Math.Min(available.Length, destination.Length);
        if (count == 0)
        {
            // Nothing to read, or no room to read it into.
            input.AdvanceTo(available.Start);
            _hasEnded = available.IsEmpty && result.IsCompleted;
            return 0;
        }

        if (available.Length >= LeastAhead && destination.Length < LeastAhead)
        {
            _ahead ??= new byte[AheadSize];
            _aheadStart = 0;
            _aheadEnd = (int)Math.Min(available.Length, AheadSize);
            available.Slice(0, _aheadEnd).CopyTo(_ahead);
            input.AdvanceTo(available.GetPosition(_aheadEnd));
            return TakeAhead(destination);
        }

        if (available.IsSingleSegment)
        {
            available.FirstSpan[..count].CopyTo(destination);
        }
        else
        {
            available.Slice(0, count).CopyTo(destination);
        }

        input.AdvanceTo(available.GetPosition(count));
        return count;
    }

    private int TakeAhead(Span<byte> destination)
    {
        var count = Math.Min(destination.Length, _aheadEnd - _aheadStart);
        _ahead.AsSpan(_aheadStart, count).CopyTo(destination);
        _aheadStart += count;
        return count;
    }

    /// <summary>Ends a read.</summary>
    private void Leave()
    {
        var current = _exchange!;
        if (_hasEnded)
        {
            current.MoveTrailers(response);
        }

        var isLast =
            Interlocked.CompareExchange(ref _state, _hasEnded ? Closed : Idle, Reading) != Reading || _hasEnded;
        if (isLast)
        {
            // At the end, or closed meanwhile.
            var isAlone = _hasEnded && Volatile.Read(ref _state) == Closed;
            _guard?.Dispose();
            _exchange = null;
            current.Call.EndResponse(isAlone);
        }
    }

    private ValueTask<int> CannotRead(int state)
    {
        if ((state & Closed) == 0)
        {
            return ValueTask.FromException<int>(new InvalidOperationException("A read of the response is under way."));
        }

        return _hasEnded
            ? new ValueTask<int>(0)
            : ValueTask.FromException<int>(
                new ObjectDisposedException(nameof(ResponseStream), "The response has been disposed."));
    }

    /// <summary>Gives a call up whose response nobody can read any more.</summary>
    private sealed class Abandonment(ClientCall call) : IDisposable
    {
        // Set by whoever ends the response, read by the finalizer. That may run while Dispose does, since nothing else
        // may hold this any more: volatile, so that a finalizer that runs after it was set sees it. The one who sets it
        // has the call until it has done so.
        private volatile bool _isDisarmed;

        ~Abandonment()
        {
            if (!_isDisarmed)
            {
                // To give it up takes locks, sends, and may close the connection: nothing for the finalizer's thread.
                ThreadPool.UnsafeQueueUserWorkItem(
                    static call =>
                    {
                        try
                        {
                            call.Drop();
                        }
                        catch (Exception)
                        {
                            // A listener of metrics, which comes last. It has nobody left to tell.
                        }
                    },
                    call,
                    preferLocal: false);
            }
        }

        public void Dispose()
        {
            _isDisarmed = true;
            GC.SuppressFinalize(this);
        }
    }
}
