using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Google.Protobuf;

namespace GrpcShm.EventBus.Lanes;

/// <summary>The connection of a lane that stands: reads and writes its frames until it ends.</summary>
internal sealed partial class LaneLink
{
    private readonly EventLaneConnection _connection;
    private readonly ClientLane _lane;
    private readonly ILaneEvents _events;
    private readonly long _maxFrame;
    private readonly IncomingFrame _frame = new();
    private readonly Action _continueReading;
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _reading;

    // The reading thread's own: the number of the last delivery.
    private ulong _lastDelivery;

    // The reading thread's own: whether the other side has taken leave.
    private bool _hasReadLeave;
    private int _hasEnded;

    // The reading, the writing, and whoever closes it. Whichever ends last lets go of the connection.
    private int _users = 3;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="connection">The connection, of which the greeting is over. It belongs to this.</param>
    /// <param name="lane">The lane.</param>
    /// <param name="events">Takes what comes.</param>
    /// <param name="maxFrame">The most bytes that a frame may have.</param>
    public LaneLink(EventLaneConnection connection, ClientLane lane, ILaneEvents events, long maxFrame)
    {
        (_connection, _lane, _events, _maxFrame) = (connection, lane, events, maxFrame);
        _continueReading = ContinueReading;
    }

    /// <summary>Completes when the lane has ended.</summary>
    public Task Ended => _ended.Task;

    public bool HasEnded => Volatile.Read(ref _hasEnded) != 0;

    /// <summary>Begins to read and to write. Call it once.</summary>
    public void Start()
    {
        _ = WriteAsync();
        ReadOn(null);
    }

    /// <summary>
    /// Ends the lane. Any thread, any number of times. Nobody is told. The connection is closed when neither the
    /// reading nor the writing uses it any more, nor this method itself: all work on memory that goes with it.
    /// </summary>
    public void Close()
    {
        if (Interlocked.Exchange(ref _hasEnded, 1) == 0)
        {
            _ended.TrySetResult();
            _signal.Set();
            try
            {
                _connection.Input.CancelPendingRead();
                _connection.Output.CancelPendingFlush();
            }
            catch (Exception exception) when (exception is IOException or InvalidOperationException)
            {
                // The transport is code of others. What waits there ends with the connection at the latest.
            }

            NoteUnused();
        }
    }

    private void NoteUnused()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            _ = CloseAsync();
        }
    }

    private async Task CloseAsync()
    {
        try
        {
            await _connection.CloseAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            // It was gone already.
        }
    }

    private void End(string reason)
    {
        if (!HasEnded)
        {
            _events.End(_lane, reason);
        }

        Close();
    }

    // As a session does it: before this thread runs a handler, it arranges who takes the next frame.
    [SuppressMessage("Reliability", "CA2012", Justification = "The result is taken once: by TryTake.")]
    private void ReadOn(IThreadPoolWorkItem? inline)
    {
        do
        {
            try
            {
                _reading = _connection.Input.ReadAsync().ConfigureAwait(false).GetAwaiter();
            }
            catch (Exception exception)
            {
                EndReading(exception.Message);
                inline?.Execute();
                return;
            }

            if (inline is not null || !_reading.IsCompleted)
            {
                // This thread must not touch the state of the reading after this: the callback may run already.
                _reading.UnsafeOnCompleted(_continueReading);
                inline?.Execute();
                return;
            }
        }
        while (TryTake(out inline));
        inline?.Execute();
    }

    private void ContinueReading()
    {
        if (TryTake(out var inline))
        {
            ReadOn(inline);
        }
        else
        {
            inline?.Execute();
        }
    }

    // The receiver has been begun, and has to be run even if the lane ends by the same frame.
    private bool TryTake(out IThreadPoolWorkItem? inline)
    {
        inline = null;
        try
        {
            var result = _reading.GetResult();
            if (result.IsCanceled || HasEnded)
            {
                return EndReading("The connection was closed.");
            }

            var rest = result.Buffer;
            while (LaneFrames.TryTake(ref rest, _maxFrame, out var bytes))
            {
                Take(bytes, ref inline);
            }

            _connection.Input.AdvanceTo(rest.Start, rest.End);
            if (result.IsCompleted)
            {
                return EndReading("The other process ended the connection.");
            }

            return true;
        }
        catch (Exception exception)
        {
            return EndReading(exception.Message);
        }
    }

    private bool EndReading(string reason)
    {
        End(reason);
        NoteUnused();
        return false;
    }

    private void Take(in ReadOnlySequence<byte> bytes, ref IThreadPoolWorkItem? inline)
    {
        // A copy: the other process may still change what it has written. Then it would not be what was checked.
        var length = (int)bytes.Length;
        var copy = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            bytes.CopyTo(copy);
            _frame.Parse(copy.AsSpan(0, length));
        }
        catch (InvalidProtocolBufferException exception)
        {
            throw new LaneException($"A frame is malformed: {exception.Message}");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }

        try
        {
            Take(ref inline);
        }
        finally
        {
            _frame.Clear();
        }
    }

    private void Take(ref IThreadPoolWorkItem? inline)
    {
        if (_frame.Rest is { } rest && (rest.Hello is not null || rest.Welcome is not null))
        {
            throw new LaneException("A greeting came after the greeting.");
        }

        if (_frame.Rest is not null || _frame.AcceptedThrough > 0)
        {
            _events.TakeAnswers(_lane, _frame);
        }

        var deliveries = _frame.Deliveries;
        if (deliveries.Length > 0)
        {
            if (_hasReadLeave)
            {
                throw new LaneException("A delivery came after the other side had taken leave.");
            }

            foreach (ref readonly var delivery in deliveries)
            {
                if (delivery.Number != ++_lastDelivery)
                {
                    throw new LaneException($"The delivery {delivery.Number} came in place of {_lastDelivery}.");
                }
            }

            var begun = _events.Deliver(_lane, deliveries);
            NoteAccepted(_lastDelivery);
            if (inline is not null && begun is not null)
            {
                ThreadPool.UnsafeQueueUserWorkItem(inline, preferLocal: false);
            }

            inline = begun ?? inline;
        }

        if (_frame.Rest?.Closing is not null)
        {
            if (_hasReadLeave)
            {
                throw new LaneException("The other side took leave twice.");
            }

            _hasReadLeave = true;
            _events.Leave(_lane);
            NoteLeave();
        }
    }
}
