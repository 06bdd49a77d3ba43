using Grpc.Core;
using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Access;

/// <summary>A call of its own. Nobody sends its event again, so it needs no number.</summary>
internal sealed class CallOrigin(ServerCallContext call) : EventOrigin
{
    private PeerIdentity? _peer;

    // Most calls come from nobody's machine: who calls is asked for only if it matters.
    public PeerIdentity Peer => _peer ??= PeerIdentity.Of(call);

    public override ulong Stamp(ulong claimed) => 0;

    public override bool Owns(MachineOwner owner) => owner.Peer.IsSameProcessAs(Peer);
}
