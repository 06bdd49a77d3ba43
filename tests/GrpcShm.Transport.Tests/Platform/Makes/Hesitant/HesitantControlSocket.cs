using System.Runtime.InteropServices;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Hesitant;

/// <summary>Says at every other call that nothing has come yet, and gives three bytes at most.</summary>
internal sealed class HesitantControlSocket(ControlSocket inner) : ControlSocket
{
    private const int Piece = 3;

    private readonly HesitantSource _source = new(inner.Source);
    private bool _holdsBack = true;

    public override SharedMemoryPeer Peer => inner.Peer;

    public override IPollSource Source => _source;

    public override void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments) =>
        inner.Send(message, attachments);

    public override int Receive(Span<byte> buffer, List<SafeHandle> attachments)
    {
        _holdsBack = !_holdsBack;
        if (!_holdsBack)
        {
            _source.Report();
            return -1;
        }

        return inner.Receive(buffer[..Math.Min(Piece, buffer.Length)], attachments);
    }

    public override void Shutdown() => inner.Shutdown();

    public override void Dispose() => inner.Dispose();
}
