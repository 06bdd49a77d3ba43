using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>What becomes of a client's commands: answered, refused, or left unanswered.</summary>
internal sealed class CommandAnswers(
    CommandQueue queue,
    ClientSubscriptions subscriptions,
    ClientWaits waits,
    SendReports reports,
    RaisedEvents events,
    ClientEnd end)
{
    /// <summary>The hub has answered a command: by an outcome, or by having carried it out.</summary>
    public void Answer(PendingCommand command, Outcome? outcome)
    {
        if (command.IsSend)
        {
            queue.SendAnswered();
        }

        if (command.Wait is { } wait)
        {
            wait.IsAnswered |= command.IsSend;
        }

        if (outcome is { StatusCode: not 0 })
        {
            Refuse(command, ToException(command, outcome));
            return;
        }

        if (command.IsSend)
        {
            Tell(command, null);
        }

        if (command is { Command.Subscribe: not null, Receiver: { IsRefused: false } receiver })
        {
            subscriptions.Stand(receiver);
        }

        command.TrySetResult(outcome);
    }

    /// <summary>The hub does not answer a command any more.</summary>
    public void Fail(PendingCommand command, EventBusException exception)
    {
        if (command.IsSend)
        {
            queue.SendAnswered();
        }

        Refuse(command, exception);
    }

    // After a lost connection "it is not there" is only half of the truth: the event may have arrived before. A
    // pipeline that takes it for never delivered would have it handled twice.
    private static EventBusException ToException(PendingCommand command, Outcome outcome)
    {
        var code = (StatusCode)outcome.StatusCode;
        var message = PeerText.Clean(outcome.Message, PeerText.MaxSentence);
        return command.IsRepeated && code is StatusCode.NotFound or StatusCode.ResourceExhausted
            ? new EventBusException(
                StatusCode.Unavailable,
                $"The connection was lost before the event was answered, which may have been handled; now: {message}",
                outcome.MachineId)
            : new EventBusException(code, message, outcome.MachineId);
    }

    private void Refuse(PendingCommand command, EventBusException exception)
    {
        if (command.IsSend)
        {
            Tell(command, exception);
        }

        if (command is { IsRestoring: true, Receiver: { HasEnded: false } restored })
        {
            subscriptions.Abandon(restored);
            restored.End(exception);
            events.TellOfLostMachine(restored.Name, exception);
        }

        if (command is { Wait: { } wait, IsSend: false } && exception.StatusCode == StatusCode.FailedPrecondition)
        {
            waits.Refuse(wait, exception);
        }

        // A new receiver is ended by whoever establishes it: who waits for it is told when nothing of it is left.
        command.Receiver?.Refuse();
        if (command.IsSend && end.IsTold(exception, command.IsAttempt, command.IsInHandler))
        {
            command.TrySetResult(ClientEnd.Left(exception));
            return;
        }

        command.TrySetException(exception);

        // Reported already: it is no error of the program's that nobody looked at this task.
        _ = command.Task.Exception;
    }

    private void Tell(PendingCommand command, EventBusException? failure) => reports.Tell(
        command.Activity,
        command.Started,
        command.Operation,
        command.Command.Send ?? command.Command.Publish.Event,
        failure,
        command.IsAttempt);
}
