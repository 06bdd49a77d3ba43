using GrpcShm.Transport;

namespace GrpcShm.Fuzz.Targets;

/// <summary>A server in direct mode whose client sends what it likes.</summary>
internal sealed class DirectServerTarget() : DirectTarget(ConnectionRole.Server)
{
    public override string Name => "direct-server";
}
