using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Hesitant;

/// <summary>Another make's source. It is reported once more if something was held back from its owner.</summary>
internal sealed class HesitantSource(IPollSource inner) : IPollSource
{
    private readonly Lock _gate = new();
    private HesitantPoller? _poller;
    private ulong _token;

    public IPollSource Inner => inner;

    public void Attach(HesitantPoller poller, ulong token)
    {
        lock (_gate)
        {
            (_poller, _token) = (poller, token);
        }
    }

    public void Detach()
    {
        lock (_gate)
        {
            _poller = null;
        }
    }

    /// <summary>Lets the poller, if there is one, report the source.</summary>
    public void Report()
    {
        lock (_gate)
        {
            _poller?.Report(_token);
        }
    }
}
