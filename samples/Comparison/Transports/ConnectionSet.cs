using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Peers;

namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>The open connections to one server. It can open further ones.</summary>
internal sealed class ConnectionSet(ITransport transport, string address) : IAsyncDisposable
{
    private readonly List<IConnection> _connections = [];
    private EventPeer? _peer;

    /// <summary>The third process, for a scenario that needs it.</summary>
    public EventPeer Peer =>
        _peer ?? throw new InvalidOperationException("Only a scenario that says so has a peer process.");

    /// <summary>The resources of the third process; null as long as there is none.</summary>
    public async Task<ResourceUsage?> ReadPeerUsageAsync() => _peer is null ? null : await _peer.ReadUsageAsync();

    /// <summary>Starts the third process, unless it runs already.</summary>
    public async Task StartPeerAsync(CancellationToken cancellationToken) =>
        _peer ??= await EventPeer.StartAsync(transport, address, cancellationToken);

    public int Count => _connections.Count;

    public IEnumerable<IConnection> All => _connections;

    public IConnection this[int index] => _connections[index];

    /// <summary>Makes a connection, which the caller owns. It connects with its first call.</summary>
    public IConnection Open() => transport.Connect(address);

    /// <summary>Adds a connection to the open ones.</summary>
    public IConnection Add()
    {
        var connection = Open();
        _connections.Add(connection);
        return connection;
    }

    /// <summary>Closes connections until only this number is open.</summary>
    public async Task TrimAsync(int count)
    {
        while (_connections.Count > count)
        {
            await _connections[^1].DisposeAsync();
            _connections.RemoveAt(_connections.Count - 1);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await TrimAsync(0);
        if (_peer is not null)
        {
            await _peer.DisposeAsync();
        }
    }
}
