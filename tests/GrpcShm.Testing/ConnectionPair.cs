using GrpcShm.Transport.Connections;

namespace GrpcShm.Testing;

/// <summary>Both ends of a real connection, in one process.</summary>
internal sealed class ConnectionPair : IAsyncDisposable
{
    private readonly TestEndPoint _endPoint;

    private ConnectionPair(TestEndPoint endPoint, SharedMemoryConnection client, SharedMemoryConnection server)
    {
        _endPoint = endPoint;
        Client = client;
        Server = server;
    }

    public SharedMemoryConnection Client { get; }

    public SharedMemoryConnection Server { get; }

    public LogCollector ClientLog => _endPoint.ClientLog;

    public LogCollector ServerLog => _endPoint.ServerLog;

    /// <summary>Makes a pair with the smallest rings.</summary>
    public static async Task<ConnectionPair> CreateAsync()
    {
        var endPoint = new TestEndPoint();
        endPoint.Listen();
        var (client, server) = await endPoint.ConnectPairAsync();
        return new ConnectionPair(endPoint, client, server);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Server.Dispose();
        await _endPoint.DisposeAsync();
    }
}
