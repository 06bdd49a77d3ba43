using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Signaling;

/// <summary>That a reactor watches a handle. Dispose it before the handle.</summary>
internal sealed class ReactorRegistration : IDisposable
{
    private readonly SafeHandle _handle;
    private readonly ulong _token;
    private Reactor? _reactor;

    public ReactorRegistration(Reactor reactor, SafeHandle handle, ulong token)
    {
        _reactor = reactor;
        _handle = handle;
        _token = token;
    }

    public void Dispose() => Interlocked.Exchange(ref _reactor, null)?.Unregister(_handle, _token);
}
