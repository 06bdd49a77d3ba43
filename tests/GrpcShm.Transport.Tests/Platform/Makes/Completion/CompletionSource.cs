using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Completion;

/// <summary>Reports the end of an operation to the poller that watches, if there is one.</summary>
internal sealed class CompletionSource : IPollSource
{
    private readonly Lock _gate = new();
    private CompletionPoller? _poller;
    private ulong _token;

    /// <summary>Begins to report, and reports once, since an operation may have ended before.</summary>
    public void Attach(CompletionPoller poller, ulong token)
    {
        lock (_gate)
        {
            (_poller, _token) = (poller, token);
            poller.Post(token);
        }
    }

    public void Detach()
    {
        lock (_gate)
        {
            _poller = null;
        }
    }

    /// <summary>Reports that an operation has ended. Any thread.</summary>
    public void Report()
    {
        lock (_gate)
        {
            _poller?.Post(_token);
        }
    }
}
