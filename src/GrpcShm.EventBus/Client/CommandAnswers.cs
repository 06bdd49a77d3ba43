using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>Ends a client's commands: answered, refused, or left unanswered.</summary>
internal sealed class CommandAnswers(
    CommandQueue queue,
    ClientSubscriptions subscriptions,
    ClientWaits waits,
    SendReports reports,
    RaisedEvents events,
    ClientEnd end)
{
    /// <summary>Ends a command that the hub has answered: by an outcome, or by carrying it out.</summary>
    public void Answer(PendingCommand command, Outcome? outcome)
    {
        if (command is PendingEvent)
        {
            queue.NoteAnsweredSend();
        }

        if (command.Wait is { } wait)
        {
            wait.IsAnswered |= command is PendingEvent;
        }

        (command as PendingMessage)?.Answered?.Invoke(outcome);

        if (outcome is { StatusCode: not 0 })
        {
            Refuse(command, ToException(command, outcome));
            return;
        }

        if (command is PendingEvent answered)
        {
            Tell(answered, null);
        }

        if (command is PendingMessage { Command.Subscribe: not null, Receiver: { IsRefused: false } receiver })
        {
            subscriptions.Stand(receiver);
        }

        command.TrySetResult(outcome);
    }

    /// <summary>Ends a command that the hub does not answer any more.</summary>
    public void Fail(PendingCommand command, EventBusException exception)
    {
        if (command is PendingEvent)
        {
            queue.NoteAnsweredSend();
        }

        Refuse(command, exception);
    }

    // After a lost connection NotFound says only half: the event may have arrived before. A pipeline that believes that
    // the event was never delivered would have it handled twice.
    private static EventBusException ToException(PendingCommand command, Outcome outcome)
    {
        var code = (StatusCode)outcome.StatusCode;
        var message = PeerText.Clean(outcome.Message, PeerText.MaxSentence);
        return command.IsRepeated && code is StatusCode.NotFound or StatusCode.ResourceExhausted
            ? new EventBusException(
                StatusCode.Unavailable,
                "The connection was lost before the event was answered. It may have been handled. "
                    + $"Sent again, it failed: {message}",
                outcome.MachineId)
            : new EventBusException(code, message, outcome.MachineId);
    }

    private void Refuse(PendingCommand command, EventBusException exception)
    {
        if (command is PendingEvent @event)
        {
            Tell(@event, exception);
            if (end.IsToldByEventsAlone(exception, @event.IsAttempt, @event.IsInHandler))
            {
                command.TrySetResult(ClientEnd.MakeLeftOutcome(exception));
                return;
            }
        }
        else
        {
            Refuse((PendingMessage)command, exception);
        }

        command.TrySetException(exception);

        // The failure is reported already: it is no error of the program if nobody looks at this task.
        _ = command.Task.Exception;
    }

    private void Refuse(PendingMessage command, EventBusException exception)
    {
        if (command is { IsRestoring: true, Receiver: { HasEnded: false } restored })
        {
            subscriptions.Abandon(restored);
            restored.End(exception);
            events.TellOfLostMachine(restored.Name, exception);
        }

        if (command.Wait is { } wait && exception.StatusCode == StatusCode.FailedPrecondition)
        {
            waits.Refuse(wait, exception);
        }

        // The method that establishes a new receiver ends it: its subscriber is told when nothing is left of it.
        command.Receiver?.Refuse();
    }

    private void Tell(PendingEvent command, EventBusException? failure) => reports.Tell(
        command.Activity,
        command.Started,
        command.Operation,
        command.Names,
        failure,
        command.IsAttempt);
}
