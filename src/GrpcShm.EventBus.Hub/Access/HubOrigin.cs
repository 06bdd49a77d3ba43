using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Access;

/// <summary>The hub's own process. It may send as any machine, and sends no event twice.</summary>
internal sealed class HubOrigin : EventOrigin
{
    public override ulong Stamp(ulong claimed) => 0;

    public override bool Owns(MachineOwner owner) => true;
}
