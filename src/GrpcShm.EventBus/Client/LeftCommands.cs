using Grpc.Core;
using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Decides about the commands that a lost session leaves without an answer: they are sent again, or they fail. None of
/// them may end one session after the other. Only the client's link uses it.
/// </summary>
internal sealed class LeftCommands(CommandQueue queue, CommandAnswers answers, ClientLanes? lanes)
{
    // If this many sessions, one behind the other, ended before they answered a command, it is the likely cause.
    private const int MostEndedSessions = 8;

    /// <summary>Takes the commands of a session that has ended.</summary>
    /// <param name="link">The session.</param>
    /// <param name="noteEnd">
    /// Notes the end of the session: whether a command was its cause, which is not sent again. Says whether the end
    /// counts as one of a session that ended as soon as it was opened.
    /// </param>
    /// <returns>The commands to send again, in order.</returns>
    public async Task<List<PendingCommand>> TakeAsync(SessionLink link, Func<bool, bool> noteEnd)
    {
        var left = await link.TakeUnansweredAsync().ConfigureAwait(false);
        lanes?.End(link);
        var tooLarge = FindTooLarge(link, left);
        var wasShort = noteEnd(tooLarge is not null);
        var repeated = new List<PendingCommand>();
        foreach (var command in left)
        {
            if (tooLarge is null)
            {
                command.EndedSessions = wasShort ? command.EndedSessions + 1 : 0;
            }

            if (command.IsRestoring || command.OnlyIn is not null)
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

    private static PendingCommand? FindTooLarge(SessionLink link, List<PendingCommand> left)
    {
        if (link.RefusedByChannel is { } refused)
        {
            // None of the commands here if it is an answer of a machine, which goes with its session.
            return left.Find(command => (object)command == refused && !command.IsRestoring);
        }

        // The hub could not read the message that ended the session, so it cannot say which command is too large. It
        // has carried out all messages before. A message has one large command at most, and that is the last one that
        // was put in. If several large commands were written, the largest one need not be the cause of this end. But
        // it is larger than the cause, so it would fail alike.
        var largest = left
            .Where(static command => command is PendingEvent { IsCarriedOut: false })
            .MaxBy(static command => command.Size);
        var least = link.IsMessageTooLarge ? MessageSize.Batch
            : IsEndByAnOlderHub(link) ? MessageSize.UsualLimit
            : int.MaxValue;
        return largest?.Size > least ? largest : null;
    }

    // An older hub says of a message that is too large for gRPC no more than gRPC itself does: by the status, or in the
    // words for a lost connection.
    private static bool IsEndByAnOlderHub(SessionLink link)
    {
        if (link.Limits.IsMessageSizeKnown || !link.HasEnded || link.IsClosing)
        {
            return false;
        }

        var end = link.Ended.Result;
        return end is RpcException { StatusCode: StatusCode.ResourceExhausted }
                or EventBusException { StatusCode: StatusCode.ResourceExhausted }
            || end.Message.Contains("message size", StringComparison.OrdinalIgnoreCase);
    }

    private static EventBusException? MakeFailure(SessionLink link, PendingCommand command, bool isTooLarge)
    {
        var @event = command as PendingEvent;
        var target = @event?.SentTo;
        if (isTooLarge)
        {
            var what = @event is not null
                ? $"The event has {@event.EventSize} bytes."
                : $"The command to the hub has {command.Size} bytes with its ids, names and groups.";
            return new EventBusException(
                StatusCode.ResourceExhausted,
                $"{what} A limit of gRPC or of the transport on the way to the hub is lower, and ended the session: "
                + DescribeEnd(link),
                target,
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
                target);
        }

        if (command.EndedSessions < MostEndedSessions)
        {
            return null;
        }

        var lost = @event is not null
            ? "the event was answered. It may have been handled."
            : "the command to the hub was answered. It may have been carried out.";
        return new EventBusException(
            StatusCode.Unavailable,
            $"{MostEndedSessions} sessions ended as soon as they were opened, each before {lost} "
            + $"The last session ended for this reason: {DescribeEnd(link)}",
            target,
            link.Ended.Result);
    }

    // The words of the hub, or of whoever answers in its place, are cleaned before they get into a message.
    private static string DescribeEnd(SessionLink link) => HubFailure.Describe(link.Ended.Result);

    // While there is no session, no hub ends a send that is too late.
    private static void WatchDeadlines(IEnumerable<PendingCommand> commands)
    {
        foreach (var command in commands)
        {
            if (command is PendingEvent { Deadline: > 0, IsWatched: false } @event)
            {
                @event.IsWatched = true;
                _ = WatchDeadlineAsync(@event);
            }
        }
    }

    // The command itself stays in its place, as if its sender had given up waiting.
    private static async Task WatchDeadlineAsync(PendingEvent command)
    {
        var left = TimeSpan.FromMilliseconds(Math.Max(0, command.Deadline - Environment.TickCount64));
        await ((Task)command.Task).WaitAsync(left).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (command.TrySetException(Verdict.TooLate(command.Names.Target).ToBusException()))
        {
            _ = command.Task.Exception;
        }
    }
}
