using GrpcShm.EventBus.Access;
using GrpcShm.EventBus.Registry;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>The sends of one session, and the answers to those that wait for more than <c>Accepted</c>.</summary>
/// <param name="hub">The hub.</param>
/// <param name="owner">The owner of the session's machines, whose budget the waiting sends take of.</param>
/// <param name="origin">The origin of the session's events.</param>
/// <param name="waits">The waits of the session's handlers.</param>
/// <param name="answer">Takes an answer that comes later than its command was carried out. Any thread calls it.</param>
internal sealed class SessionSends(
    HubCore hub, MachineOwner owner, SessionOrigin origin, SessionWaits waits, Action<OutgoingOutcome> answer)
{
    // The acknowledgement that the command in hand waits for; that wait alone answers the command. The reader's own.
    private PendingAcknowledgement? _pending;

    /// <summary>
    /// Cancelled when the session is over. The token of the call is not enough: a call may go on after its session, or
    /// end as it should without being cancelled. Set once, before the first command.
    /// </summary>
    public CancellationToken Over { get; set; }

    public Verdict Send(in HubCommand command, RoutingContext context)
    {
        var level = command.Level;
        var @event = command.Event!;
        if (level <= AcknowledgementLevel.Accepted && level >= AcknowledgementLevel.Unspecified)
        {
            return hub.Router.Send(@event, null, origin, context);
        }

        var verdict = EventLimits.Check(level);
        if (!verdict.IsOk)
        {
            return verdict;
        }

        verdict = BeginWait(command.Number);
        if (!verdict.IsOk)
        {
            return verdict;
        }

        var pending = new PendingAcknowledgement(@event.Target, level);
        if (command.Waiting is not null && level > AcknowledgementLevel.Delivered)
        {
            verdict = waits.Begin(command.Waiting, @event.Target, pending);
            if (!verdict.IsOk)
            {
                EndWait();
                hub.Metrics.CountRefused(verdict.Code);
                return verdict;
            }
        }

        verdict = hub.Router.Send(@event, pending, origin, context);
        if (verdict.IsOk)
        {
            _pending = pending;
            AnswerLater(command, pending);
        }
        else
        {
            waits.End(command.Waiting?.Number ?? 0);
            EndWait();
        }

        return verdict;
    }

    /// <summary>Makes room for the wait of a command that an acknowledgement answers.</summary>
    /// <param name="number">The command's number.</param>
    public Verdict BeginWait(ulong number)
    {
        if (number == 0)
        {
            return Verdict.Invalid("A send with an acknowledgement needs a number to be answered by.");
        }

        return owner.Budget.Acknowledgements.Take(1) is { } full
            ? full.Exhausted("The sends whose acknowledgements are waited for have reached")
            : Verdict.Ok;
    }

    /// <summary>Gives the room for a wait back, of a command that was refused.</summary>
    public void EndWait() => owner.Budget.Acknowledgements.Give(1);

    /// <summary>Answers a command when its acknowledgement comes, or its time is up, and gives the room back.</summary>
    public void AnswerLater(in HubCommand command, PendingAcknowledgement pending)
    {
        var timeout = command.TimeoutMilliseconds == 0
            ? hub.Options.DefaultAcknowledgementTimeout
            : TimeSpan.FromMilliseconds(Math.Min(command.TimeoutMilliseconds, int.MaxValue));
        var eventId = command.Event?.Id ?? "";
        _ = AnswerLaterAsync(command.Number, eventId, command.Waiting?.Number ?? 0, pending, timeout);
    }

    /// <summary>
    /// Fails the acknowledgement that the command in hand waits for, if there is one: the event found no room in time.
    /// </summary>
    /// <returns>True if there is one, whose wait answers the command then.</returns>
    public bool TryFailPending(in Verdict verdict)
    {
        _pending?.Fail(verdict);
        return _pending is not null;
    }

    /// <summary>The reader has done with the command in hand.</summary>
    public void ForgetPending() => _pending = null;

    private async Task AnswerLaterAsync(
        ulong number, string eventId, ulong wait, PendingAcknowledgement pending, TimeSpan timeout)
    {
        AcknowledgementResult result;
        try
        {
            result = await pending.WaitAsync(timeout, Over).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The session is over: no client could read the answer.
            return;
        }
        finally
        {
            EndWait();
        }

        waits.End(wait);
        var outcome = new Outcome
        {
            Number = number,
            StatusCode = (int)result.Verdict.Code,
            Message = result.Verdict.Message ?? "",
            MachineId = result.Verdict.MachineId ?? "",
            EventId = eventId,
            NewState = result.NewState,
        };
        answer(new OutgoingOutcome(outcome, result.Reply));
    }
}
