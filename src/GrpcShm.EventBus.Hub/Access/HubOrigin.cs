using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Access;

/// <summary>
/// The hub's own process. It may send as any machine. Its events have no stamp, by which a receiver recognizes an event
/// that comes again over another connection: this process has no connection that could break.
/// </summary>
internal sealed class HubOrigin : EventOrigin
{
    public override ulong Stamp(ulong claimed) => 0;

    public override bool Owns(MachineOwner owner) => true;
}
