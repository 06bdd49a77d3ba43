using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Lets a reactor watch a source of events until it is disposed of. Dispose of it before the owner of the source.
/// </summary>
internal sealed class ReactorRegistration : IDisposable
{
    private readonly IPollSource _source;
    private readonly ulong _token;
    private Reactor? _reactor;

    public ReactorRegistration(Reactor reactor, IPollSource source, ulong token)
    {
        _reactor = reactor;
        _source = source;
        _token = token;
    }

    public void Dispose() => Interlocked.Exchange(ref _reactor, null)?.Unregister(_source, _token);
}
