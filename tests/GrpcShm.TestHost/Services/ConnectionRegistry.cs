using System.Collections.Concurrent;
using Microsoft.AspNetCore.Connections;

namespace GrpcShm.TestHost.Services;

/// <summary>Knows every connection of the process, over each transport, as connection middleware sees it.</summary>
internal sealed class ConnectionRegistry
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _connections = new();
    private long _opened;
    private long _open;

    public long Opened => Interlocked.Read(ref _opened);

    public long Open => Interlocked.Read(ref _open);

    public async Task TrackAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _connections[connection.ConnectionId] = closed;
        Interlocked.Increment(ref _opened);
        Interlocked.Increment(ref _open);
        try
        {
            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
            _connections.TryRemove(connection.ConnectionId, out _);
            closed.TrySetResult();
        }
    }

    /// <summary>Completes when the connection has ended, at once if it already has.</summary>
    public Task WhenClosedAsync(string connectionId) =>
        _connections.TryGetValue(connectionId, out var closed) ? closed.Task : Task.CompletedTask;
}
