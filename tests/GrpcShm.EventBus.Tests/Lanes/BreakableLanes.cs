using System.Collections.Concurrent;

namespace GrpcShm.EventBus.Tests.Lanes;

/// <summary>Lanes over shared memory whose connections a test can close.</summary>
internal sealed class BreakableLanes : EventLaneTransport
{
    private readonly SharedMemoryLanes _lanes = new();
    private readonly ConcurrentQueue<EventLaneConnection> _connections = new();

    /// <summary>How many connections this side has had.</summary>
    public int Count => _connections.Count;

    /// <summary>Closes the last connection.</summary>
    public ValueTask BreakAsync() => _connections.Last().DisposeAsync();

    public override async ValueTask<EventLaneListener> ListenAsync(CancellationToken cancellationToken) =>
        new Listener(await _lanes.ListenAsync(cancellationToken), _connections);

    public override async ValueTask<EventLaneConnection> ConnectAsync(
        string address, CancellationToken cancellationToken)
    {
        var connection = await _lanes.ConnectAsync(address, cancellationToken);
        _connections.Enqueue(connection);
        return connection;
    }

    private sealed class Listener(EventLaneListener listener, ConcurrentQueue<EventLaneConnection> connections)
        : EventLaneListener
    {
        public override string Address => listener.Address;

        public override async ValueTask<EventLaneConnection?> AcceptAsync(CancellationToken cancellationToken)
        {
            var connection = await listener.AcceptAsync(cancellationToken);
            if (connection is not null)
            {
                connections.Enqueue(connection);
            }

            return connection;
        }

        public override ValueTask DisposeAsync() => listener.DisposeAsync();
    }
}
