using Grpc.Core;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Client;

/// <summary>One session with the hub, from its opening to its loss.</summary>
internal sealed partial class SessionLink : IEventOrigin
{
    // The rest of a response that has only what clients get often.
    private static readonly SessionResponse Nothing = new();

    private readonly AsyncDuplexStreamingCall<OutgoingRequest, IncomingResponse> _call;
    private readonly SessionRequests _requests;
    private readonly CommandQueue _queue;
    private readonly ISessionEvents _events;
    private readonly SentCommands _sent = new();
    private readonly TaskCompletionSource<SessionOpened> _opened = new(
        TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _readToItsEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PendingCommand> _succeeded = [];
    private readonly Action _continueReading;
    private Task<bool>? _reading;
    private Task _writing = Task.CompletedTask;
    private volatile bool _isClosing;

    // Only the client's link uses it, which restores the session and looks at its end.
    private long _restoredAt;

    // Written by threads that end the session, before one of them completes Ended. Nobody reads them earlier.
    private long _endedAt;
    private volatile bool _isMessageTooLarge;
    private volatile object? _refusedByChannel;

    public SessionLink(Contract.EventBusClient contract, CommandQueue queue, ISessionEvents events)
    {
        (_queue, _events) = (queue, events);
        _continueReading = ContinueReading;
        _call = contract.BeginSession();
        _requests = new SessionRequests(_call.RequestStream, new CancellationTokenSource());
    }

    /// <summary>Completes when the hub has opened the session.</summary>
    public Task<SessionOpened> Opened => _opened.Task;

    /// <summary>Completes with the reason when the session has ended.</summary>
    public Task<Exception> Ended => _ended.Task;

    public bool HasEnded => _ended.Task.IsCompleted;

    /// <summary>Begins to read. Call it once.</summary>
    public void StartReading() => ReadOn(null);

    /// <summary>Begins to write what the queue holds. Call it once.</summary>
    public void StartWriting() => _writing = WriteAsync();

    /// <summary>The hub's limits. The thread that reads from the hub sets them before it completes Opened.</summary>
    public HubLimits Limits { get; private set; } = HubLimits.Unknown;

    /// <summary>True if the program that the client belongs to ends the session.</summary>
    public bool IsClosing => _isClosing;

    /// <summary>
    /// True if the hub has ended the session because of the size of a message of this client. Known once it has ended.
    /// </summary>
    public bool IsMessageTooLarge => HasEnded && _isMessageTooLarge;

    /// <summary>
    /// The largest command of a message that the channel of this client refused for its size: a
    /// <see cref="PendingCommand"/>, or the message of one that nobody waits for. None if it refused none. Known once
    /// the session has ended.
    /// </summary>
    public object? RefusedByChannel => HasEnded ? _refusedByChannel : null;

    /// <summary>
    /// How long the session was open after it knew all about the client again: a client with many machines may need
    /// long for that. Known once the session has ended; not positive if the session ended before.
    /// </summary>
    public TimeSpan TimeOpen => TimeSpan.FromMilliseconds(_endedAt - _restoredAt);

    /// <summary>Notes that the hub has been told all about the client.</summary>
    public void NoteRestored() => _restoredAt = Environment.TickCount64;

    /// <summary>Ends the session from this side. Commands that were written before are carried out.</summary>
    public void End(Exception reason)
    {
        reason =
            reason is RpcException failure && HubFailure.IsLostConnection(failure) ? HubFailure.From(failure) : reason;
        Interlocked.CompareExchange(ref _endedAt, Environment.TickCount64, 0);
        if (_ended.TrySetResult(reason))
        {
            _opened.TrySetException(reason);
            _ = _opened.Task.Exception;
            _queue.Signal.Set();
        }
    }

    /// <summary>
    /// Closes the stream and waits for the hub to close it too: earlier commands are carried out and answered.
    /// </summary>
    public async Task CloseAsync(Exception reason, CancellationToken cancellationToken)
    {
        _isClosing = true;
        End(reason);
        try
        {
            await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
            await _call.RequestStream.CompleteAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            await _readToItsEnd.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (
            exception is RpcException or InvalidOperationException or OperationCanceledException)
        {
            // The hub ended the stream first, or does not answer in time.
        }
        finally
        {
            _closed.TrySetResult();
        }
    }

    /// <summary>Lets go of the stream. If it is being closed, this waits until it is closed.</summary>
    /// <returns>The commands that the session leaves unanswered, in order.</returns>
    public async Task<List<PendingCommand>> TakeUnansweredAsync()
    {
        if (_isClosing)
        {
            await _closed.Task.ConfigureAwait(false);
        }

        _call.Dispose();
        await _requests.EndAsync(_writing).ConfigureAwait(false);
        return _sent.TakeAll();
    }

    // Before this thread runs a handler, it asks for the next response and arranges who takes it. So a handler that
    // waits, even one that blocks its thread, never keeps the session from reading, and no time is lost in passing an
    // event on to another thread.
    private void ReadOn(IThreadPoolWorkItem? inline)
    {
        do
        {
            Task<bool> next;
            try
            {
                _reading = next = _call.ResponseStream.MoveNext(CancellationToken.None);
            }
            catch (Exception exception)
            {
                End(exception);
                _readToItsEnd.TrySetResult();
                inline?.Execute();
                return;
            }

            if (inline is not null || !next.IsCompleted)
            {
                // This thread must not touch the state of the reading after this: the callback may run already.
                next.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(_continueReading);
                inline?.Execute();
                return;
            }
        }
        while (TryTakeResponse(out inline));
        inline?.Execute();
    }

    private void ContinueReading()
    {
        if (TryTakeResponse(out var inline))
        {
            ReadOn(inline);
        }
        else
        {
            inline?.Execute();
        }
    }

    // The receiver has been begun, and has to be run even if the session has ended by the same response.
    private bool TryTakeResponse(out IThreadPoolWorkItem? inline)
    {
        inline = null;
        try
        {
            if (!_reading!.GetAwaiter().GetResult())
            {
                End(new EventBusException(StatusCode.Unavailable, "The hub ended the session."));
                _readToItsEnd.TrySetResult();
                return false;
            }

            Take(_call.ResponseStream.Current, ref inline);
            return true;
        }
        catch (Exception exception)
        {
            End(exception);
            _readToItsEnd.TrySetResult();
            return false;
        }
    }

    private void Take(IncomingResponse response, ref IThreadPoolWorkItem? inline)
    {
        var rest = response.Rest;
        if (_parts.HasBegun || rest is { Part.Length: > 0 } or { PartFollows: true })
        {
            TakePart(rest ?? Nothing, ref inline);
            return;
        }

        if (rest?.Opened is { } opened)
        {
            Limits = new HubLimits(opened);
            _opened.TrySetResult(opened);
        }

        if (rest is { LaneNotices.Count: > 0 })
        {
            // A fence among the deliveries may be that of a route that is granted here.
            _events.TakeNotices(this, rest.LaneNotices);
        }

        try
        {
            inline = response.Deliveries.Length > 0 ? _events.Deliver(this, response.Deliveries) : null;
        }
        finally
        {
            response.Release();
        }

        foreach (var outcome in rest?.Outcomes ?? Nothing.Outcomes)
        {
            if (_sent.Take(outcome.Number) is { } command)
            {
                _events.Answer(command, outcome);
            }
        }

        if (response.CompletedThrough > 0)
        {
            _sent.TakeThrough(response.CompletedThrough, _succeeded);
            foreach (var command in _succeeded)
            {
                _events.Answer(command, null);
                (command as PendingEvent)?.Release();
            }

            _succeeded.Clear();
        }

        foreach (var loss in rest?.Losses ?? Nothing.Losses)
        {
            _events.TellOfLoss(loss);
        }

        if (rest?.Closing is { } closing)
        {
            _isMessageTooLarge = closing.MessageTooLarge;
            End(new EventBusException(
                (StatusCode)closing.StatusCode,
                $"The hub ended the session: {PeerText.Clean(closing.Message, PeerText.MaxSentence)}"));
        }
    }
}
