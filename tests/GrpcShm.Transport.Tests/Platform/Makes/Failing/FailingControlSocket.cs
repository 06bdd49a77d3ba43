using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Failing;

/// <summary>May lack a handle when it receives, also after it has taken over some handles, and when it sends.</summary>
internal sealed class FailingControlSocket(ControlSocket inner, Shortage shortage) : ControlSocket
{
    public override SharedMemoryPeer Peer => inner.Peer;

    public override IPollSource Source => inner.Source;

    public override void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments)
    {
        shortage.Count(nameof(Send));
        inner.Send(message, attachments);
    }

    public override int Receive(Span<byte> buffer, List<SafeHandle> attachments)
    {
        var before = attachments.Count;
        var received = inner.Receive(buffer, attachments);
        for (var i = before; i < attachments.Count; i++)
        {
            shortage.Give(attachments[i]);
        }

        if (received > 0)
        {
            shortage.Count(nameof(Receive));
        }

        return received;
    }

    public override void Shutdown() => inner.Shutdown();

    public override void Dispose() => inner.Dispose();
}
