using System.Runtime.InteropServices;
using GrpcShm.Transport;
using GrpcShm.Transport.Platform;

namespace GrpcShm.TestHost.Faults;

/// <summary>Fails to receive on demand, as when no descriptor is free for a received handle.</summary>
internal sealed class FaultyControlSocket(ControlSocket inner, FaultSwitch faults) : ControlSocket
{
    public override SharedMemoryPeer Peer => inner.Peer;

    public override IPollSource Source => inner.Source;

    public override void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments) =>
        inner.Send(message, attachments);

    public override int Receive(Span<byte> buffer, List<SafeHandle> attachments)
    {
        faults.ThrowIf(FaultSwitch.Receive);
        return inner.Receive(buffer, attachments);
    }

    public override void Shutdown() => inner.Shutdown();

    public override void Dispose() => inner.Dispose();
}
