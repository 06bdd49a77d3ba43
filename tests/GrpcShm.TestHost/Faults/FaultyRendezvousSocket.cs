using GrpcShm.Transport;
using GrpcShm.Transport.Platform;

namespace GrpcShm.TestHost.Faults;

/// <summary>
/// Fails to accept on demand. To refuse a client it uses a descriptor of its own, which does not fail.
/// </summary>
internal sealed class FaultyRendezvousSocket(RendezvousSocket inner, FaultSwitch faults) : RendezvousSocket
{
    public override IPollSource Source => inner.Source;

    public override RendezvousRemark? Remark => inner.Remark;

    public override ControlSocket? Accept()
    {
        faults.ThrowIf(FaultSwitch.Accept);
        return inner.Accept() is { } client ? new FaultyControlSocket(client, faults) : null;
    }

    public override SharedMemoryPeer? Refuse(ReadOnlySpan<byte> message) => inner.Refuse(message);

    public override void Dispose() => inner.Dispose();
}
