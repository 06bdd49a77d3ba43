using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>A send between two machines of one client that waits: for room, or for the event to be handled.</summary>
internal sealed class LocalSend(AcknowledgementLevel level)
    : TaskCompletionSource<Outcome?>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public AcknowledgementLevel Level { get; } = level;

    /// <summary>Whether it is complete as soon as there is room for the event.</summary>
    public bool IsDoneWithRoom => Level <= AcknowledgementLevel.Delivered;
}
