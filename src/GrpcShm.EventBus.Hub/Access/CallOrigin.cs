using Grpc.Core;
using GrpcShm.EventBus.Registry;

namespace GrpcShm.EventBus.Access;

/// <summary>A single call. Its event is not sent again, so it needs no number.</summary>
internal sealed class CallOrigin(ServerCallContext call) : EventOrigin
{
    private PeerIdentity? _peer;

    // Most calls come from no registered machine: the caller's identity is made only if it is needed.
    public PeerIdentity Peer => _peer ??= PeerIdentity.Of(call);

    public override ulong Stamp(ulong claimed) => 0;

    public override bool Owns(MachineOwner owner) => owner.Peer.IsSameProcessAs(Peer);
}
