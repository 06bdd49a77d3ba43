using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Service;

/// <summary>What a session's machine waits for: an event that went through the hub, or one that stayed in the session's process.</summary>
internal sealed class HubWait(string waiting, string awaited, PendingAcknowledgement? pending) : MachineWait(waiting, awaited)
{
    // What stayed in the process is over when the session says so.
    public override bool IsOver => pending is { IsDone: true };
}
