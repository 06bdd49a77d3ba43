using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Signaling;

/// <summary>That a reactor watches a source of events. Dispose it before what the source belongs to.</summary>
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
