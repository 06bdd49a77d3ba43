using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Diagnostics;

/// <summary>What a span tells of an event.</summary>
/// <param name="PayloadLength">How many bytes the payload has.</param>
/// <param name="Id">The event's id; may be empty.</param>
/// <param name="CorrelationId">The id of its conversation; may be empty.</param>
internal readonly record struct TracedEvent(int PayloadLength, string Id, string CorrelationId)
{
    public static TracedEvent Of(Event @event) => new(@event.Payload.Length, @event.Id, @event.CorrelationId);
}
