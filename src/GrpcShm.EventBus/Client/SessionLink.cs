using System.Diagnostics;
using Grpc.Core;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Client;

/// <summary>One session with the hub, from its opening to its loss.</summary>
internal sealed class SessionLink
{
    // The same bounds as those of the hub's own messages.
    private const int MaxCommands = 256;
    private const int MaxBytes = 64 * 1024;

    // More writes without a pause between them are a stream.
    private const int MostInlineInARow = 4;

    private readonly AsyncDuplexStreamingCall<SessionRequest, SessionResponse> _call;
    private readonly CommandQueue _queue;
    private readonly ISessionEvents _events;
    private readonly SentCommands _sent = new();
    private readonly Lock _notesLock = new();
    private readonly TaskCompletionSource<SessionOpened> _opened = new(
        TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _readToItsEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<PendingCommand> _succeeded = [];
    private readonly Action _continueReading;
    private readonly Queue<(SessionCommand Command, int Size)> _notes = new();
    private Task<bool>? _reading;
    private Task _writing = Task.CompletedTask;
    private long _lastWrite;
    private int _writesInARow;
    private volatile bool _isClosing;

    public SessionLink(Contract.EventBusClient contract, CommandQueue queue, ISessionEvents events)
    {
        (_queue, _events) = (queue, events);
        _continueReading = ContinueReading;
        _call = contract.Session();
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

    /// <summary>Wakes the writer after a command was put into the queue.</summary>
    /// <remarks>
    /// After a pause the writer runs on this thread, which saves the time to wake another one. It does so for the next
    /// few events, too: one event close behind another is not yet a stream. While write follows write, the writer runs
    /// on another thread, and events that are sent in the meantime go into one message.
    /// </remarks>
    public void Wake()
    {
        var isAfterPause = Stopwatch.GetTimestamp() - Volatile.Read(ref _lastWrite) > Stopwatch.Frequency / 50_000;
        if (isAfterPause && _queue.Signal.IsWaiting)
        {
            // Not while a long write is under way. Two threads that wake the writer at once may lose a count: one
            // inline write more or less.
            Volatile.Write(ref _writesInARow, 0);
        }

        _queue.Signal.Set(runInline: isAfterPause || Volatile.Read(ref _writesInARow) < MostInlineInARow);
    }

    /// <summary>The most bytes that an event may have for this hub. Known once the session is opened.</summary>
    public uint MaxEventSize => _opened.Task.IsCompletedSuccessfully ? _opened.Task.Result.MaxEventSize : uint.MaxValue;

    /// <summary>Writes a command that nobody waits for and that concerns only this session.</summary>
    public void Note(SessionCommand command)
    {
        // A reply may be as large as an event.
        var size = command.CalculateSize();
        lock (_notesLock)
        {
            _notes.Enqueue((command, size));
        }

        Wake();
    }

    /// <summary>Ends the session from this side. Commands that were written before are carried out.</summary>
    public void End(Exception reason)
    {
        reason =
            reason is RpcException failure && HubFailure.IsLostConnection(failure) ? HubFailure.From(failure) : reason;
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
        await _writing.ConfigureAwait(false);
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
    }

    private void ContinueReading()
    {
        if (TryTakeResponse(out var inline))
        {
            ReadOn(inline);
        }
    }

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

            inline = Take(_call.ResponseStream.Current);
            return true;
        }
        catch (Exception exception)
        {
            End(exception);
            _readToItsEnd.TrySetResult();
            return false;
        }
    }

    private IThreadPoolWorkItem? Take(SessionResponse response)
    {
        if (response.Opened is { } opened)
        {
            _opened.TrySetResult(opened);
        }

        var inline = response.Deliveries.Count > 0 ? _events.Deliver(this, response.Deliveries) : null;
        foreach (var outcome in response.Outcomes)
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
            }

            _succeeded.Clear();
        }

        foreach (var loss in response.Losses)
        {
            _events.TellOfLoss(loss);
        }

        if (response.Closing is { } closing)
        {
            End(new EventBusException(
                (StatusCode)closing.StatusCode,
                $"The hub ended the session: {PeerText.Clean(closing.Message, PeerText.MaxSentence)}"));
        }

        return inline;
    }

    private async Task WriteAsync()
    {
        var batch = new List<PendingCommand>(MaxCommands);
        var request = new SessionRequest();
        try
        {
            while (!_ended.Task.IsCompleted)
            {
                while (Fill(request, batch))
                {
                    await _call.RequestStream.WriteAsync(request).ConfigureAwait(false);
                    Volatile.Write(ref _lastWrite, Stopwatch.GetTimestamp());
                    Volatile.Write(ref _writesInARow, Math.Min(_writesInARow + 1, MostInlineInARow));
                    request.Commands.Clear();
                }

                if (!_ended.Task.IsCompleted)
                {
                    await _queue.Signal.WaitAsync().ConfigureAwait(false);
                }
            }

            // Commands from before an end that the program wished for are still written.
            while (_isClosing && Fill(request, batch))
            {
                await _call.RequestStream.WriteAsync(request).ConfigureAwait(false);
                request.Commands.Clear();
            }
        }
        catch (Exception exception)
        {
            End(exception);
        }
    }

    private bool Fill(SessionRequest request, List<PendingCommand> batch)
    {
        var bytes = TakeNotes(request);
        if (request.Commands.Count > 0 && (bytes >= MaxBytes || request.Commands.Count >= MaxCommands))
        {
            return true;
        }

        _queue.Take(batch, MaxCommands - request.Commands.Count, MaxBytes - bytes);
        foreach (var command in batch)
        {
            _sent.Add(command);
            if (command is { Command.Subscribe: { } subscribe, Receiver: { } receiver })
            {
                receiver.BeginIn(this, subscribe);
            }

            request.Commands.Add(command.Command);
        }

        batch.Clear();
        return request.Commands.Count > 0;
    }

    // At least one note, and no more than one message should hold.
    private int TakeNotes(SessionRequest request)
    {
        var bytes = 0;
        lock (_notesLock)
        {
            while (request.Commands.Count < MaxCommands && bytes < MaxBytes && _notes.TryDequeue(out var note))
            {
                request.Commands.Add(note.Command);
                bytes += note.Size;
            }
        }

        return bytes;
    }
}
