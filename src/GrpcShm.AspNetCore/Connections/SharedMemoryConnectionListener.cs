using System.Net;
using GrpcShm.AspNetCore.Direct;
using GrpcShm.AspNetCore.Memory;
using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Rendezvous;
using Microsoft.AspNetCore.Connections;

namespace GrpcShm.AspNetCore.Connections;

internal sealed class SharedMemoryConnectionListener : IConnectionListener
{
    private readonly SharedMemoryListener _listener;
    private readonly SharedMemoryTransportOptions _options;
    private readonly DirectApplication _application;
    private readonly BlockMemoryPool _memoryPool = new();
    private readonly SharedBudget _budget;

    public SharedMemoryConnectionListener(
        SharedMemoryListener listener, SharedMemoryTransportOptions options, DirectApplication application)
    {
        _application = application;
        _listener = listener;
        EndPoint = listener.EndPoint.InAddress();
        _options = options;
        _budget = new SharedBudget(options.MaxBufferedBytes);
    }

    // Kestrel logs it, and code that registers the addresses of a server reads it as a URI.
    public EndPoint EndPoint { get; }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _listener.AcceptAsync(cancellationToken).ConfigureAwait(false) is { } connection
            ? new SharedMemoryConnectionContext(connection, _options, _application, _memoryPool, _budget)
            : null;

    // The name is released before the old connections are drained, so that a successor can start meanwhile.
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) =>
        _listener.CloseAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync().ConfigureAwait(false);
        _memoryPool.Dispose();
    }
}
