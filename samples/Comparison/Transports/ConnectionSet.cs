namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>The connections that stand to one server, and the way to further ones.</summary>
internal sealed class ConnectionSet(ITransport transport, string address) : IAsyncDisposable
{
    private readonly List<IConnection> _connections = [];

    public int Count => _connections.Count;

    public IEnumerable<IConnection> All => _connections;

    public IConnection this[int index] => _connections[index];

    /// <summary>A connection that is the caller's own. Nothing is connected before its first call.</summary>
    public IConnection Open() => transport.Connect(address);

    /// <summary>Adds a connection to those that stand.</summary>
    public IConnection Add()
    {
        var connection = Open();
        _connections.Add(connection);
        return connection;
    }

    /// <summary>Closes all but so many.</summary>
    public async Task TrimAsync(int count)
    {
        while (_connections.Count > count)
        {
            await _connections[^1].DisposeAsync();
            _connections.RemoveAt(_connections.Count - 1);
        }
    }

    public async ValueTask DisposeAsync() => await TrimAsync(0);
}
