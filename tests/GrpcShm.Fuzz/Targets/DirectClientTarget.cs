using GrpcShm.Transport;

namespace GrpcShm.Fuzz.Targets;

/// <summary>A client in direct mode whose server sends any frames.</summary>
internal sealed class DirectClientTarget() : DirectTarget(ConnectionRole.Client)
{
    public override string Name => "direct-client";
}
