using GrpcShm.EventBus.Lanes;
using GrpcShm.EventBus.Mailboxes;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Service;

/// <summary>
/// One session's subscriptions of observers that are answered only when no event goes past them any more.
/// </summary>
/// <param name="hub">The hub.</param>
/// <param name="completed">Which commands have been carried out. A command that waits is not among them.</param>
/// <param name="outbox">Wakes the session's writer.</param>
/// <param name="answer">Takes the answer. Any thread calls it.</param>
internal sealed class LateSubscriptions(
    HubCore hub,
    CompletedCommands completed,
    Outbox outbox,
    Action<OutgoingOutcome> answer)
{
    /// <summary>Cancelled when the session is over. Set once, before the first command.</summary>
    public CancellationToken Over { get; set; }

    /// <summary>Answers a subscription that stands, once the routes that it could match are silent.</summary>
    /// <param name="number">The command's number.</param>
    /// <param name="silence">The wait for the routes.</param>
    public void Answer(ulong number, RouteSilence silence)
    {
        if (number != 0)
        {
            completed.Hold(number);
        }

        _ = AnswerAsync(number, silence);
    }

    private async Task AnswerAsync(ulong number, RouteSilence silence)
    {
        try
        {
            await silence.WaitAsync(hub.Options.RouteWithdrawalTimeout, Over).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The session is over: no client could read the answer.
            return;
        }

        if (number != 0)
        {
            answer(new OutgoingOutcome(new Outcome { Number = number }));
        }

        // In this order: an answer behind the number would come too late.
        completed.Release(number);
        outbox.Signal();
    }
}
