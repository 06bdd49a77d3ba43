using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Direct;

/// <summary>
/// A way over HTTP/2: for a server that has no direct mode, and another for requests that direct mode does not carry. It is alive as
/// long as it has a connection without TLS.
/// </summary>
internal sealed class Http2Route : IDisposable
{
    private readonly Lock _gate = new();
    private readonly SharedMemoryConnectionFactory _factory;
    private readonly HttpMessageInvoker _invoker;
    private readonly HashSet<SharedMemoryConnection> _connections = [];
    private SharedMemoryConnection? _handedOver;
    private bool _isDisposed;

    public Http2Route(SharedMemoryConnectionFactory factory, SharedMemoryClientOptions options)
    {
        _factory = factory;
        _invoker = new HttpMessageInvoker(SharedMemoryChannel.CreateHttp2Handler(ConnectAsync, options), disposeHandler: true);
    }

    public bool IsLive
    {
        get
        {
            // Asked one by one, since a busy process is told late that one has ended, and what goes this way then makes another.
            lock (_gate)
            {
                foreach (var connection in _connections)
                {
                    if (!connection.IsClosed)
                    {
                        return true;
                    }
                }
            }

            return false;
        }
    }

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _invoker.SendAsync(request, cancellationToken);

    /// <summary>Takes over a connection that the server wants to use for HTTP/2.</summary>
    public void HandOver(SharedMemoryConnection connection)
    {
        SharedMemoryConnection? unused;
        lock (_gate)
        {
            unused = _isDisposed ? connection : _handedOver;
            _handedOver = _isDisposed ? null : connection;
        }

        unused?.Dispose();
        if (unused != connection)
        {
            Count(connection);
        }
    }

    public void Dispose()
    {
        SharedMemoryConnection? unused;
        lock (_gate)
        {
            _isDisposed = true;
            unused = _handedOver;
            _handedOver = null;
        }

        unused?.Dispose();
        _invoker.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        if (context.InitialRequestMessage.RequestUri?.Scheme is "https" or "wss")
        {
            return await _factory.ConnectAsync(context, cancellationToken).ConfigureAwait(false);
        }

        SharedMemoryConnection? connection;
        lock (_gate)
        {
            connection = _handedOver;
            _handedOver = null;
        }

        if (connection is null)
        {
            connection = await ConnectAnotherAsync(cancellationToken).ConfigureAwait(false);
        }

        return SharedMemoryConnectionFactory.CreateStream(connection, context.InitialRequestMessage, ConnectAnotherAsync);
    }

    private async Task<SharedMemoryConnection> ConnectAnotherAsync(CancellationToken cancellationToken)
    {
        var connection = await _factory.ConnectBytesAsync(cancellationToken).ConfigureAwait(false);
        Count(connection);
        return connection;
    }

    private void Count(SharedMemoryConnection connection)
    {
        lock (_gate)
        {
            _connections.Add(connection);
        }

        // Fires at once if it has ended already.
        connection.Closed.UnsafeRegister(
            static (state, _) =>
            {
                var (route, connection) = ((Http2Route, SharedMemoryConnection))state!;
                route.Uncount(connection);
            },
            (this, connection));
    }

    private void Uncount(SharedMemoryConnection connection)
    {
        bool isUnused;
        lock (_gate)
        {
            _connections.Remove(connection);
            isUnused = _handedOver == connection;
            _handedOver = isUnused ? null : _handedOver;
        }

        if (isUnused)
        {
            connection.Dispose();
        }
    }
}
