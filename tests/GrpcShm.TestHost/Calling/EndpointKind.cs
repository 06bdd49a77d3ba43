namespace GrpcShm.TestHost.Calling;

/// <summary>The transports that a host can listen on.</summary>
public enum EndpointKind
{
    /// <summary>Shared memory.</summary>
    SharedMemory,

    /// <summary>A Unix domain socket.</summary>
    UnixSocket,

    /// <summary>TCP on the loopback interface.</summary>
    Tcp,
}
