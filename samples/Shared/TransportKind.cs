namespace Samples;

/// <summary>The transport of a sample's gRPC calls.</summary>
internal enum TransportKind
{
    /// <summary>Shared memory.</summary>
    Shm,

    /// <summary>A Unix domain socket.</summary>
    Uds,

    /// <summary>TCP on the loop-back interface.</summary>
    Tcp,

    /// <summary>A named pipe.</summary>
    NamedPipe,
}
