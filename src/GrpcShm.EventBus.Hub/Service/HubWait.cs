using GrpcShm.EventBus.Routing;

namespace GrpcShm.EventBus.Service;

/// <summary>
/// A wait of a machine of a session or of the hub's own process: for an event that went through the hub, or for an
/// event that stayed in the session's process.
/// </summary>
internal sealed class HubWait(string waiting, string awaited, PendingAcknowledgement? pending)
    : MachineWait(waiting, awaited)
{
    // A wait for an event that stayed in the process is over when the session says so.
    public override bool IsOver => pending is { IsDone: true };

    /// <summary>True if it waits for this acknowledgement.</summary>
    public bool IsFor(PendingAcknowledgement acknowledgement) => pending == acknowledgement;
}
