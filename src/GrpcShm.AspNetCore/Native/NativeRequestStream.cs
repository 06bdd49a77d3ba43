using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.ExceptionServices;
using Grpc.Core;

namespace GrpcShm.AspNetCore.Native;

/// <summary>The messages of a client, as a handler reads them.</summary>
/// <remarks>
/// Under the gate: all use of the call's parts, and the end. So a read that a handler has left behind finds that the
/// call is over, and never takes a message of the next call. The deserializer runs under it as well, since it reads
/// what the call has received.
/// <para>A read of the input stays open from one message to the next while it shows more messages, and while few bytes
/// have been taken since it began. So a stream of small messages takes the locks of the input, and tells the client
/// that there is room, once for many messages.</para>
/// </remarks>
internal sealed class NativeRequestStream<T> : IAsyncStreamReader<T>, IRequestStream
    where T : class
{
    // The client waits for no more than this because of a handler that rests between two messages.
    private const int MostTaken = 4 * 1024;

    private readonly NativeCallContext _context;
    private readonly Func<DeserializationContext, T> _deserialize;
    private readonly Lock _gate = new();
    private bool _isComplete;

    // The read that is open between two messages, and what is left of its data.
    private ReadResult _read;
    private ReadOnlySequence<byte> _rest;
    private long _taken;
    private bool _isOpen;
    private bool _isTaking;
    private bool _isShared;

    public NativeRequestStream(NativeCallContext context, Func<DeserializationContext, T> deserialize)
    {
        _context = context;
        _deserialize = deserialize;
        context.Use(this);
    }

    public T Current { get; private set; } = null!;

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<bool>(cancellationToken);
        }

        try
        {
            // Without a state machine for each message of a stream whose messages come faster than they are read.
            lock (_gate)
            {
                if (_isComplete || _context.IsAborted)
                {
                    return Task.FromException<bool>(CreateComplete());
                }

                Current = null!;
                if ((_isOpen || _context.Input.TryRead(out _read)) && TryMove() is { } hasMoved)
                {
                    return Task.FromResult(hasMoved);
                }
            }
        }
        catch (Exception exception)
        {
            return FailAsync(exception, cancellationToken);
        }

        return ReadAsync(cancellationToken);
    }

    /// <summary>Ends the stream, since its handler has ended.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _isComplete = true;
            EndRead();
        }
    }

    public void Share()
    {
        lock (_gate)
        {
            _isShared = true;
            EndRead();
        }
    }

    private static InvalidOperationException CreateComplete() =>
        new("Can't read messages after the request is complete.");

    private async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                ValueTask<ReadResult> reading;
                lock (_gate)
                {
                    reading = _isComplete ? throw CreateComplete() : _context.Input.ReadAsync(cancellationToken);
                }

                var read = await reading.ConfigureAwait(false);
                lock (_gate)
                {
                    if (_isComplete)
                    {
                        throw CreateComplete();
                    }

                    _read = read;
                    if (TryMove() is { } hasMoved)
                    {
                        return hasMoved;
                    }
                }
            }
        }
        catch (Exception exception)
        {
            Note(exception, cancellationToken);
            throw;
        }
    }

    private async Task<bool> FailAsync(Exception exception, CancellationToken cancellationToken)
    {
        Note(exception, cancellationToken);
        ExceptionDispatchInfo.Throw(exception);
        return false;
    }

    private void Note(Exception exception, CancellationToken cancellationToken)
    {
        if (exception is OperationCanceledException && cancellationToken.IsCancellationRequested)
        {
            return;
        }

        GrpcLog.ReadFailed(_context.Native.Logger, exception);
        lock (_gate)
        {
            if (!_isComplete)
            {
                _context.TellEncodings(exception);
            }
        }
    }

    /// <summary>Takes the next message, or the end, out of the read, if it has come. Under the gate.</summary>
    /// <returns>True for a message, false for the end; nothing if neither has come.</returns>
    private bool? TryMove()
    {
        if (!_isOpen)
        {
            _isOpen = true;
            _rest = _read.Buffer;
            _taken = 0;
        }

        var before = _rest.Length;
        T? message = null;
        _isTaking = true;
        try
        {
            if (_read.IsCanceled)
            {
                throw new RpcException(new Status(StatusCode.Internal, "Incoming message cancelled."));
            }

            if (_context.Parts.Reader.TryTake(ref _rest, _deserialize, out message))
            {
                Current = message;
                return true;
            }

            if (_read.IsCompleted && !_rest.IsEmpty)
            {
                throw new RpcException(new Status(StatusCode.Internal, "Incomplete message."));
            }

            return _read.IsCompleted ? false : null;
        }
        finally
        {
            _isTaking = false;
            _taken += before - _rest.Length;
            if (message is null || _rest.IsEmpty || _taken >= MostTaken || _isShared)
            {
                EndRead(message is null);
            }
        }
    }

    /// <summary>Ends the read that is open, if there is one. Under the gate.</summary>
    /// <param name="needsMore">True if there is no whole message in what is left.</param>
    private void EndRead(bool needsMore = false)
    {
        // A deserializer may ask for the context of HTTP. Then the read ends behind it.
        if (!_isOpen || _isTaking)
        {
            return;
        }

        var rest = _rest;
        _isOpen = false;
        _read = default;
        _rest = default;
        _context.Input.AdvanceTo(rest.Start, needsMore ? rest.End : rest.Start);
    }
}
