using GrpcShm.Benchmarks.Raw;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>Both ends of a connection, in this process.</summary>
internal sealed class ConnectionPair : IDisposable
{
    private readonly DirectoryInfo _directory;

    private ConnectionPair(DirectoryInfo directory, SharedMemoryConnection client, SharedMemoryConnection server) =>
        (_directory, Client, Server) = (directory, client, server);

    public SharedMemoryConnection Client { get; }

    public SharedMemoryConnection Server { get; }

    public static ConnectionPair Create()
    {
        var directory = Directory.CreateTempSubdirectory("grpcshm-pair-");
        var address = Path.Combine(directory.FullName, "pair");
        using var listening = new ManualResetEventSlim();
        var accepting = Task.Run(() => RingRawTransport.AcceptConnection(address, listening.Set));
        listening.Wait();
        var client = RingRawTransport.ConnectConnection(address);
        return new ConnectionPair(directory, client, accepting.GetAwaiter().GetResult());
    }

    public RingStream OpenClientStream() => new(Client, FileAccess.ReadWrite);

    public RingStream OpenServerStream() => new(Server, FileAccess.ReadWrite);

    public void Dispose()
    {
        Client.Dispose();
        Server.Dispose();
        _directory.Delete(recursive: true);
    }
}
