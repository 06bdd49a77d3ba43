using Grpc.Core;
using GrpcShm.EventBus.Routing;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>A send between two machines of one client that waits: for room, or for the event to be handled.</summary>
internal sealed class LocalSend(string machineId, AcknowledgementLevel level)
    : TaskCompletionSource<Outcome?>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public AcknowledgementLevel Level { get; } = level;

    /// <summary>The wait of the handler that sent it; none if it was sent outside of handlers.</summary>
    public ClientWait? Wait { get; init; }

    /// <summary>True if the send was taken back, so that its event must not be handled any more.</summary>
    public bool IsWithdrawn { get; private set; }

    /// <summary>True if the send is complete as soon as there is room for the event.</summary>
    public bool IsDoneWithRoom => Level <= AcknowledgementLevel.Delivered;

    /// <summary>Takes the send back. Its receiver waits itself, and has not begun to handle the event.</summary>
    public void Withdraw(EventBusException reason)
    {
        IsWithdrawn = true;
        TrySetException(reason);
    }

    /// <summary>Ends the send: the machine is done with the event, or its mailbox dropped it.</summary>
    public void Answer(Acknowledgement acknowledgement)
    {
        // Before the machine takes its next event: the handler that waited for this one does not wait any more.
        Wait?.End();
        if (IsDoneWithRoom)
        {
            TrySetResult(null);
        }
        else if (acknowledgement.StatusCode != 0)
        {
            TrySetException(new EventBusException(
                (StatusCode)acknowledgement.StatusCode, acknowledgement.Message, machineId));
        }
        else if (Level == AcknowledgementLevel.Replied && acknowledgement.Reply is null)
        {
            TrySetException(Verdict.WithoutReply(machineId).ToBusException());
        }
        else
        {
            TrySetResult(new Outcome { NewState = acknowledgement.NewState, Reply = acknowledgement.Reply });
        }
    }
}
