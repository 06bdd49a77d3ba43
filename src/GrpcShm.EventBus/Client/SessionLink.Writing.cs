using Grpc.Core;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

// How commands get to the hub: several in one message.
internal sealed partial class SessionLink
{
    // The same bounds as those of the hub's own messages.
    private const int MaxCommands = 256;
    private const int MaxBytes = MessageSize.Batch;

    // How long the reader of a call that is over may take to come to its end.
    private static readonly TimeSpan ReadingTime = TimeSpan.FromSeconds(1);

    private readonly Lock _notesLock = new();
    private readonly Queue<(SessionCommand Command, int Size)> _notes = new();
    private readonly WriterPace _pace = new();

    // How many bytes the message has that is written next. The writer's own.
    private int _bytes;

    /// <summary>Wakes the writer after a command was put into the queue. It may run on this thread.</summary>
    public void Wake() => _pace.Wake(_queue.Signal);

    /// <summary>Answers an event.</summary>
    public void Acknowledge(Acknowledgement acknowledgement) =>
        Note(new SessionCommand { Acknowledge = acknowledgement });

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

    private async Task WriteAsync()
    {
        var batch = new List<PendingCommand>(MaxCommands);
        var request = new OutgoingRequest();
        var writes = 0;
        try
        {
            while (!_ended.Task.IsCompleted)
            {
                while (Fill(request, batch))
                {
                    await WriteAsync(request).ConfigureAwait(false);
                    _pace.NoteWrite();
                    LetGo(request);
                    if (++writes % WriterPace.MostOnWakersThread == 0)
                    {
                        // It may be a reader, which others wait for. They put in commands for as long as they like.
                        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                    }
                }

                if (!_ended.Task.IsCompleted)
                {
                    var wait = _queue.Signal.WaitAsync();
                    if (!wait.IsCompleted)
                    {
                        writes = 0;
                    }

                    await wait.ConfigureAwait(false);
                }
            }

            // Commands from before an end that the program wished for are still written.
            while (_isClosing && Fill(request, batch))
            {
                await WriteAsync(request).ConfigureAwait(false);
                LetGo(request);
            }
        }
        catch (RpcException exception) when (
            exception.StatusCode == StatusCode.ResourceExhausted && !IsCallOver() && !_ended.Task.IsCompleted)
        {
            // The channel of this client does not send so large a message.
            _refusedByChannel = FindLarge(request);
            End(exception);
        }
        catch (Exception exception)
        {
            // The reader learns why the call is over, and may still have the hub's own words to read.
            await _readToItsEnd.Task.WaitAsync(ReadingTime).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            End(exception);
        }
    }

    // The cause is a command of the message that was not written, and none of an earlier one. Of many small commands
    // none is the cause: they are too large together.
    private static object? FindLarge(OutgoingRequest request)
    {
        if (request.Commands.Count == 0)
        {
            return null;
        }

        var largest = request.Commands.MaxBy(static command => command.CalculateSize());
        return request.Commands.Count == 1 || largest.CalculateSize() > MaxBytes
            ? (object?)largest.Pending ?? largest.Note
            : null;
    }

    // A write fails by the status of the call, too, if the hub has ended the call: then the reader learns the cause.
    private bool IsCallOver()
    {
        try
        {
            _call.GetStatus();
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private Task WriteAsync(OutgoingRequest request) =>
        _requests.WriteAsync(request, inParts: Limits.TakesParts && IsLarge(request));

    // Only large messages are worth a closer look.
    private bool IsLarge(OutgoingRequest request) =>
        MessageParts.MayBeNeeded(_bytes) && request.CalculateSize() > MessageSize.UsualLimit;

    private bool Fill(OutgoingRequest request, List<PendingCommand> batch)
    {
        _bytes = TakeNotes(request);
        if (request.Commands.Count > 0 && (_bytes >= MaxBytes || request.Commands.Count >= MaxCommands))
        {
            return true;
        }

        do
        {
            batch.Clear();
            _queue.Take(batch, MaxCommands - request.Commands.Count, MaxBytes - _bytes);
            foreach (var command in batch)
            {
                Put(command, request);
            }
        }
        while (request.Commands.Count == 0 && batch.Count > 0);
        batch.Clear();
        return request.Commands.Count > 0;
    }

    private void Put(PendingCommand command, OutgoingRequest request)
    {
        if (command.OnlyIn is { } session && session != this)
        {
            // It was meant for the hub of an earlier session.
            command.TrySetResult(null);
            return;
        }

        if (Limits.Check(command) is { } refused)
        {
            // The hub would end the session, and with it all machines of this client.
            _events.Refuse(command, refused);
            return;
        }

        _bytes += command.Size;
        (command as PendingEvent)?.Hold();
        _sent.Add(command);
        if (command is PendingMessage { Command.Subscribe: { } subscribe, Receiver: { } receiver })
        {
            receiver.BeginIn(this, subscribe);
        }

        request.Commands.Add(new OutgoingCommand(command, Note: null));
    }

    // A request that was written is not read any more. One whose write has failed may be: it is left alone.
    private static void LetGo(OutgoingRequest request)
    {
        foreach (var command in request.Commands)
        {
            (command.Pending as PendingEvent)?.Release();
        }

        request.Commands.Clear();
    }

    // At least one note, and no more than one message should hold.
    private int TakeNotes(OutgoingRequest request)
    {
        var bytes = 0;
        lock (_notesLock)
        {
            while (request.Commands.Count < MaxCommands && bytes < MaxBytes && _notes.TryDequeue(out var note))
            {
                request.Commands.Add(new OutgoingCommand(Pending: null, note.Command));
                bytes += note.Size;
            }
        }

        return bytes;
    }
}
