using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Hesitant;

/// <summary>Says at every other call that there is no client yet.</summary>
internal sealed class HesitantRendezvousSocket(RendezvousSocket inner) : RendezvousSocket
{
    private readonly HesitantSource _source = new(inner.Source);
    private bool _holdsBack = true;

    public override IPollSource Source => _source;

    public override RendezvousRemark? Remark => inner.Remark;

    public override ControlSocket? Accept()
    {
        _holdsBack = !_holdsBack;
        if (!_holdsBack)
        {
            _source.Report();
            return null;
        }

        return inner.Accept() is { } client ? new HesitantControlSocket(client) : null;
    }

    public override SharedMemoryPeer? Refuse(ReadOnlySpan<byte> message) => inner.Refuse(message);

    public override void Dispose() => inner.Dispose();
}
