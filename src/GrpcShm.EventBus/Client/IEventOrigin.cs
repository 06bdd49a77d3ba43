using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Client;

/// <summary>The way by which an event came from another process: a session with the hub, or a lane.</summary>
internal interface IEventOrigin
{
    /// <summary>The bounds of answers.</summary>
    HubLimits Limits { get; }

    /// <summary>Answers an event. Call it outside of all locks: a writer may run on this thread.</summary>
    void Acknowledge(Acknowledgement acknowledgement);
}
