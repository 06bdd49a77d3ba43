using GrpcShm.Transport;

namespace GrpcShm.Fuzz.Targets;

/// <summary>A server in direct mode whose client sends any frames.</summary>
internal sealed class DirectServerTarget() : DirectTarget(ConnectionRole.Server)
{
    public override string Name => "direct-server";
}
