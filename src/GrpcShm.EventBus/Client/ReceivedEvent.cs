using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>An event in a receiver's queue, and whom to answer: a session, a local sender, or nobody.</summary>
internal readonly record struct ReceivedEvent(
    Event Event, SessionLink? Link, ulong DeliveryNumber, AcknowledgementLevel Level, LocalSend? Sender, bool IsRepeated);
