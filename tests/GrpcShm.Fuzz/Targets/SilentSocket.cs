using System.Runtime.InteropServices;
using GrpcShm.Transport;
using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Platform.Linux;

namespace GrpcShm.Fuzz.Targets;

/// <summary>A control socket that receives nothing, of a peer that lives.</summary>
internal sealed class SilentSocket : ControlSocket
{
    private readonly SafeFileDescriptor _handle = Libc.EventCreate();

    public override SharedMemoryPeer Peer => new(1, TransportPlatform.Current.CurrentUser, null);

    public override IPollSource Source => _handle;

    public override void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments)
    {
    }

    public override int Receive(Span<byte> buffer, List<SafeHandle> attachments) => -1;

    public override void Shutdown()
    {
    }

    public override void Dispose() => _handle.Dispose();
}
