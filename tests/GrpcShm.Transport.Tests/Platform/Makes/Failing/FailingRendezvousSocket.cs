using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Failing;

/// <summary>May lack the resources to accept a client, which then waits on.</summary>
internal sealed class FailingRendezvousSocket(RendezvousSocket inner, Shortage shortage) : RendezvousSocket
{
    public override IPollSource Source => inner.Source;

    public override RendezvousRemark? Remark => inner.Remark;

    public override ControlSocket? Accept()
    {
        shortage.Count(nameof(Accept));
        return inner.Accept() is { } client ? new FailingControlSocket(client, shortage) : null;
    }

    public override SharedMemoryPeer? Refuse(ReadOnlySpan<byte> message) => inner.Refuse(message);

    public override void Dispose() => inner.Dispose();
}
