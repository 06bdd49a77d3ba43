using Grpc.Core;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Decides about the commands that a lost session leaves without an answer: they are sent again, or they fail. None of
/// them may end one session after the other. Only the client's link uses it.
/// </summary>
internal sealed class LeftCommands(CommandQueue queue, CommandAnswers answers)
{
    // If this many sessions, one behind the other, ended before they answered a send, the send is the likely cause.
    private const int MostEndedSessions = 8;

    /// <summary>Takes the commands of a session that has ended.</summary>
    /// <param name="link">The session.</param>
    /// <param name="wasShort">Whether it ended as soon as it was opened.</param>
    /// <returns>The commands to send again, in order.</returns>
    public async Task<List<PendingCommand>> TakeAsync(SessionLink link, bool wasShort)
    {
        var left = await link.TakeUnansweredAsync().ConfigureAwait(false);
        var tooLarge = FindTooLarge(link, left);
        var repeated = new List<PendingCommand>();
        foreach (var command in left)
        {
            command.EndedSessions = wasShort ? command.EndedSessions + 1 : 0;
            if (command.IsRestoring)
            {
                command.TrySetResult(null);
            }
            else if (MakeFailure(link, command, command == tooLarge) is { } failure)
            {
                answers.Fail(command, failure);
            }
            else
            {
                command.IsRepeated = true;
                repeated.Add(command);
            }
        }

        WatchDeadlines(repeated);
        WatchDeadlines(queue.List());
        return repeated;
    }

    // The hub could not read the message that ended the session, so it cannot say which command is too large. A message
    // has one large command at most, and that is the last one that was put in. If several large commands were written,
    // the largest one need not be the cause of this end. But it is larger than the cause, so it would fail alike.
    private static PendingCommand? FindTooLarge(SessionLink link, List<PendingCommand> left)
    {
        var largest = left.Where(command => command.IsSend).MaxBy(command => command.Size);

        // An older hub does not say what ended the session. It may not take more than gRPC does by default.
        var least = link.IsMessageTooLarge ? MessageSize.Batch
            : link is { Limits.IsMessageSizeKnown: false, HasEnded: true, IsClosing: false } ? MessageSize.UsualLimit
            : int.MaxValue;
        return largest?.Size > least ? largest : null;
    }

    private static EventBusException? MakeFailure(SessionLink link, PendingCommand command, bool isTooLarge)
    {
        if (isTooLarge)
        {
            return new EventBusException(
                StatusCode.ResourceExhausted,
                $"The event has {command.Event.CalculateSize()} bytes. A limit of gRPC or of the transport on the way "
                + $"to the hub is lower, and ended the session: {link.Ended.Result.Message}",
                command.Command.Send?.Target,
                link.Ended.Result)
            {
                IsTooLarge = true,
            };
        }

        if (!command.MayRepeat)
        {
            return new EventBusException(
                StatusCode.Unavailable,
                "The connection was lost before the reply came. The request may have been handled.",
                command.Command.Send?.Target);
        }

        return command.EndedSessions < MostEndedSessions
            ? null
            : new EventBusException(
                StatusCode.Unavailable,
                $"{MostEndedSessions} sessions ended as soon as they were opened, each before the event was answered. "
                + $"It may have been handled. The last session ended for this reason: {link.Ended.Result.Message}",
                command.Command.Send?.Target,
                link.Ended.Result);
    }

    // While there is no session, no hub ends a send that is too late.
    private static void WatchDeadlines(IEnumerable<PendingCommand> commands)
    {
        foreach (var command in commands)
        {
            if (command is { Deadline: > 0, IsWatched: false })
            {
                command.IsWatched = true;
                _ = WatchDeadlineAsync(command);
            }
        }
    }

    // The command itself stays in its place, as if its sender had given up waiting.
    private static async Task WatchDeadlineAsync(PendingCommand command)
    {
        var left = TimeSpan.FromMilliseconds(Math.Max(0, command.Deadline - Environment.TickCount64));
        await ((Task)command.Task).WaitAsync(left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (command.TrySetException(Verdict.TooLate(command.Event.Target).ToBusException()))
        {
            _ = command.Task.Exception;
        }
    }
}
