using GrpcShm.EventBus.Wire;

namespace GrpcShm.EventBus.Lanes;

/// <summary>Takes what a lane has read. The lane's reading thread calls it, so that no method may wait.</summary>
internal interface ILaneEvents
{
    /// <summary>Puts events into their receivers' queues, or lets the hub carry them.</summary>
    /// <exception cref="LaneException">The other side breaks the rules.</exception>
    /// <returns>A receiver for the reading thread to run once it has arranged for the next frame; or none.</returns>
    IThreadPoolWorkItem? Deliver(ClientLane lane, ReadOnlySpan<IncomingDelivery> deliveries);

    /// <summary>Takes answers, acceptances and credit.</summary>
    /// <exception cref="LaneException">The other side breaks the rules.</exception>
    void TakeAnswers(ClientLane lane, IncomingFrame frame);

    /// <summary>Takes the events that are to be written next.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="destination">Gets the events.</param>
    /// <param name="maxCount">How many at most.</param>
    /// <param name="maxBytes">So many bytes at most.</param>
    /// <param name="mayBeLarge">True if one larger event may be taken, alone.</param>
    LaneSends TakeSends(ClientLane lane, List<LaneSend> destination, int maxCount, int maxBytes, bool mayBeLarge);

    /// <summary>The other side takes leave: no more events of this side go over the lane.</summary>
    void Leave(ClientLane lane);

    /// <summary>The connection has ended.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="reason">Why.</param>
    void End(ClientLane lane, string reason);
}
