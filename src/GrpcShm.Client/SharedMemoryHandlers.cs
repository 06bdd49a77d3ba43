namespace GrpcShm.Client;

/// <summary>
/// The handlers that a service provider has made, which end with it: the HTTP client factory never disposes of handlers
/// whose lifetime is infinite.
/// </summary>
internal sealed class SharedMemoryHandlers : IDisposable
{
    private readonly Lock _gate = new();

    // Weak, since where a lifetime was set after all the factory disposes of handlers itself and makes others.
    private readonly List<WeakReference<HttpMessageHandler>> _handlers = [];
    private bool _isDisposed;

    public HttpMessageHandler Add(HttpMessageHandler handler)
    {
        lock (_gate)
        {
            if (!_isDisposed)
            {
                _handlers.RemoveAll(static handler => !handler.TryGetTarget(out _));
                _handlers.Add(new WeakReference<HttpMessageHandler>(handler));
                return handler;
            }
        }

        handler.Dispose();
        throw new ObjectDisposedException(nameof(IServiceProvider));
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }

        foreach (var reference in _handlers)
        {
            if (reference.TryGetTarget(out var handler))
            {
                handler.Dispose();
            }
        }
    }
}
