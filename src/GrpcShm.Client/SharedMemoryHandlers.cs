namespace GrpcShm.Client;

/// <summary>
/// Disposes of the handlers that a service provider has made, together with the provider: the HTTP client factory never
/// disposes of handlers whose lifetime is infinite.
/// </summary>
internal sealed class SharedMemoryHandlers : IDisposable
{
    private readonly Lock _gate = new();

    // Weak, since the application may set another lifetime: then the factory disposes of handlers itself, and makes new
    // ones.
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
