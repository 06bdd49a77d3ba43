using GrpcShm.Transport.Connections;

namespace GrpcShm.Client.Direct;

/// <summary>The way for calls to a server that has no direct mode.</summary>
internal interface IByteRoute : IDisposable
{
    /// <summary>True while it has a connection, so that calls go this way.</summary>
    bool IsLive { get; }

    /// <summary>Takes over a connection that the server does not want to use in direct mode.</summary>
    void HandOver(SharedMemoryConnection connection);
}
