using Grpc.Core;
using GrpcShm.EventBus.Client;
using GrpcShm.EventBus.Diagnostics;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus;

// What becomes of commands: answered, refused, or left unanswered.
public sealed partial class EventClient
{
    private void Answer(PendingCommand command, Outcome? outcome)
    {
        if (command.IsSend)
        {
            _queue.SendAnswered();
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
            TellOfSuccess(command);
        }

        if (command is { Command.Subscribe: not null, Receiver: { IsRefused: false } receiver })
        {
            Stand(receiver);
        }

        command.TrySetResult(outcome);
    }

    // After a lost connection "it is not there" is only half of the truth: the event may have arrived before. A pipeline
    // that takes it for never delivered would have it handled twice.
    private static EventBusException ToException(PendingCommand command, Outcome outcome) =>
        command.IsRepeated && (StatusCode)outcome.StatusCode is StatusCode.NotFound or StatusCode.ResourceExhausted
            ? new EventBusException(
                StatusCode.Unavailable,
                $"The connection was lost before the event was answered, which may have been handled; now: {PeerText.Clean(outcome.Message, PeerText.MaxSentence)}",
                outcome.MachineId)
            : new EventBusException(
                (StatusCode)outcome.StatusCode, PeerText.Clean(outcome.Message, PeerText.MaxSentence), outcome.MachineId);

    // For commands that the hub does not answer any more.
    private void Fail(PendingCommand command, EventBusException exception)
    {
        if (command.IsSend)
        {
            _queue.SendAnswered();
        }

        Refuse(command, exception);
    }

    private void Refuse(PendingCommand command, EventBusException exception)
    {
        if (command.IsSend)
        {
            TellOfFailure(command, exception);
        }

        if (command is { IsRestoring: true, Receiver: { HasEnded: false } restored })
        {
            Abandon(restored);
            restored.End(exception);
            _logger.MachineLost(restored.Name, exception.Message);
            Raise(MachineLost, new MachineLoss(restored.Name, exception));
        }

        if (command is { Wait: { } wait, IsSend: false } && exception.StatusCode == StatusCode.FailedPrecondition)
        {
            _waits.Refuse(wait, exception);
        }

        // A new receiver is ended by whoever establishes it: who waits for it is told when nothing of it is left.
        command.Receiver?.Refuse();
        if (command.IsSend && IsTold(exception, command.IsAttempt, command.IsInHandler))
        {
            command.TrySetResult(Left(exception));
            return;
        }

        command.TrySetException(exception);

        // Reported already: it is no error of the program's that nobody looked at this task.
        _ = command.Task.Exception;
    }

    // Listeners are foreign code. What they throw must not keep whoever waits for the command waiting, nor end the session.
    private void TellOfSuccess(PendingCommand command)
    {
        try
        {
            var operation = command.Operation;
            EventTracing.End(command.Activity, StatusCode.OK, null);
            _metrics.Sent(operation, StatusCode.OK);
            _metrics.SendTook(command.Started, operation, StatusCode.OK);
        }
        catch (Exception thrown)
        {
            _logger.ListenerFailed(thrown);
        }
    }

    private void TellOfFailure(PendingCommand command, EventBusException exception)
    {
        try
        {
            EventTracing.End(command.Activity, exception.StatusCode, exception.Message);
            if (!command.IsAttempt)
            {
                ReportFailure(command.Command.Send ?? command.Command.Publish.Event, command.Operation, exception);
            }

            _metrics.SendTook(command.Started, command.Operation, exception.StatusCode);
        }
        catch (Exception thrown)
        {
            _logger.ListenerFailed(thrown);
        }
    }

    // Each is told to who listens to the client's events. In the log those that other processes cause must not pile up.
    private void WriteLeftOut(string kind, long count)
    {
        if (count > 0)
        {
            _logger.LinesLeftOut(kind, count);
        }
    }

    private void ReportFailure(Event @event, in MessagingOperation operation, EventBusException exception)
    {
        _metrics.Sent(operation, exception.StatusCode);
        if (_failedSends.Next(out var leftOut))
        {
            WriteLeftOut(nameof(EventBusLog.SendFailed), leftOut);
            _logger.SendFailed(@event.Name, @event.Source, @event.Target, exception.Message);
        }

        if (exception.IsEndedByOwner && HandlerFlow.IsRaised)
        {
            // A handler of this very event that sends, and fails again, would be told without end.
            return;
        }

        Raise(SendFailed, new EventSendFailure(@event.Source, @event.Target, @event.Name, exception));
    }
}
