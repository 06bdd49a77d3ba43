using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>An event in a receiver's queue, with the session or the local sender to answer, if any.</summary>
internal readonly record struct ReceivedEvent(
    EventView Event,
    SessionLink? Link,
    ulong DeliveryNumber,
    AcknowledgementLevel Level,
    LocalSend? Sender,
    bool IsRepeated);
