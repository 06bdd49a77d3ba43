using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Access;

/// <summary>The hub's own process. It may say whatever it likes, and sends nothing twice.</summary>
internal sealed class HubOrigin : EventOrigin
{
    public override ulong Stamp(ulong claimed) => 0;

    public override bool Owns(MachineOwner owner) => true;
}
