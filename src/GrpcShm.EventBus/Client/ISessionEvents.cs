using Google.Protobuf.Collections;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>What a session tells its owner. Called on the session's reading thread: nothing here may wait.</summary>
internal interface ISessionEvents
{
    /// <summary>Puts events into their receivers' queues.</summary>
    /// <returns>A receiver for the reading thread to run once it has arranged for the next response; or none.</returns>
    IThreadPoolWorkItem? Deliver(SessionLink link, RepeatedField<Delivery> deliveries);

    /// <summary>A command was answered: by an outcome, or by having been carried out.</summary>
    void Answer(PendingCommand command, Outcome? outcome);

    /// <summary>A subscription lost events.</summary>
    void Lost(Loss loss);
}
