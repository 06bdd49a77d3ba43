using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Takes what a session has read from the hub. The session's reading thread calls it, so that no method may wait.
/// </summary>
internal interface ISessionEvents
{
    /// <summary>Puts events into their receivers' queues.</summary>
    /// <exception cref="EventBusException">A delivery has no event. Then no event was put into a queue.</exception>
    /// <returns>A receiver for the reading thread to run once it has arranged for the next response; or none.</returns>
    IThreadPoolWorkItem? Deliver(SessionLink link, ReadOnlySpan<IncomingDelivery> deliveries);

    /// <summary>Ends a command that was answered: by an outcome, or by being carried out.</summary>
    void Answer(PendingCommand command, Outcome? outcome);

    /// <summary>Ends a command that cannot be written.</summary>
    void Refuse(PendingCommand command, EventBusException reason);

    /// <summary>Takes what the hub says of lanes and routes.</summary>
    void TakeNotices(SessionLink link, IReadOnlyList<LaneNotice> notices);

    /// <summary>Tells of a subscription that lost events.</summary>
    void TellOfLoss(Loss loss);
}
