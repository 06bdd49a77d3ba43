namespace GrpcShm.Client.Direct;

/// <summary>Gives up a call whose response nobody can read any more.</summary>
internal sealed class ResponseGuard(ClientCall call) : IDisposable
{
    // Set by whoever ends the response, read by the finalizer. The finalizer may run during Dispose, since nothing
    // else may hold this object any more. Volatile, so that a finalizer that runs after the field was set sees it.
    // Whoever sets it owns the call until then.
    private volatile bool _isDisarmed;

    ~ResponseGuard()
    {
        if (!_isDisarmed)
        {
            // Giving the call up takes locks, sends, and may close the connection. The finalizer's thread must not
            // do that.
            ThreadPool.UnsafeQueueUserWorkItem(
                static call =>
                {
                    try
                    {
                        call.Drop();
                    }
                    catch (Exception)
                    {
                        // A listener of metrics has thrown, which is called last. Nobody is left who could be told.
                    }
                },
                call,
                preferLocal: false);
        }
    }

    public void Dispose()
    {
        _isDisarmed = true;
        GC.SuppressFinalize(this);
    }
}
