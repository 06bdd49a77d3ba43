using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using GrpcShm.Client.Direct;

namespace GrpcShm.Client.Http;

/// <summary>
/// The body of a response as a stream. It owns the call until the end has been read, or until it is closed. Closing
/// gives up a call that has not ended.
/// </summary>
internal sealed class ResponseStream(HttpExchange exchange, HttpResponseMessage response) : Stream
{
    private const int Idle = 0;
    private const int Reading = 1;
    private const int Closed = 2;

    // gRPC reads each message of a stream in two pieces. If so many bytes are waiting, up to AheadSize of them are
    // copied at once, so that small messages cost little.
    private const int LeastAhead = 1024;
    private const int AheadSize = 4096;

    private HttpExchange? _exchange = exchange;
    private ResponseGuard? _guard;
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

    /// <summary>Makes sure that the call is given up if nobody holds this stream any more.</summary>
    public void Guard(ClientCall current) => _guard = new ResponseGuard(current);

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

        // Outside of the try block: Leave may throw what a listener has thrown, and must not run twice.
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
        // Read before the state: if the state says that the stream still owns the call, then this is that call.
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
            // The reader will end the response. A call that was not read to its end is not reused, so this is still the
            // same call.
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
    /// Makes the exception of a read. As in .NET's own handler, a reader whose token has fired gets that as the reason,
    /// whatever else has failed because of it.
    /// </summary>
    private static Exception Failure(Exception exception, CancellationToken cancellationToken) =>
        cancellationToken.IsCancellationRequested && exception is not OperationCanceledException
            ? new OperationCanceledException(exception.Message, exception, cancellationToken)
            : CallFailures.CreateReading(exception);

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
            // There are no bytes to read, or no room for them.
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
            // The end has been read, or the stream was closed meanwhile.
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
}
