namespace GrpcShm.Client;

/// <summary>Connects.</summary>
public sealed class SharedMemoryConnectionFactory
{
    /// <summary>Creates.</summary>
    public SharedMemoryConnectionFactory(string address) : this(address, new SharedMemoryClientOptions()) { }

    /// <summary>Creates.</summary>
    public SharedMemoryConnectionFactory(string address, SharedMemoryClientOptions options) => throw new NotImplementedException();

    /// <summary>Connects.</summary>
    public ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) => throw new NotImplementedException();
}
