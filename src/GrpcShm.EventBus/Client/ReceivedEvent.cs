using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>An event in a receiver's queue, with its way here or the local sender, to be answered, if any.</summary>
internal readonly record struct ReceivedEvent(
    EventView Event,
    IEventOrigin? Origin,
    ulong DeliveryNumber,
    AcknowledgementLevel Level,
    LocalSend? Sender,
    bool IsRepeated);
