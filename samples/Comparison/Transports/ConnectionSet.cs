namespace GrpcShm.Samples.Comparison.Transports;

/// <summary>The open connections to one server. It can open further ones.</summary>
internal sealed class ConnectionSet(ITransport transport, string address) : IAsyncDisposable
{
    private readonly List<IConnection> _connections = [];

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

    public async ValueTask DisposeAsync() => await TrimAsync(0);
}
