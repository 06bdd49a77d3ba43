namespace GrpcShm.Transport.Handshake;

/// <summary>The wishes of a client for a connection, and how long it tries to connect.</summary>
internal sealed record ConnectSettings
{
    public string? Directory { get; init; }

    /// <summary>The ring size in bytes in each direction, or <see langword="null"/> for the server's default.</summary>
    public int? RingSize { get; init; }

    /// <summary>The protocols that the client allows in the rings.</summary>
    public ConnectionModes Modes { get; init; } = ConnectionModes.Bytes;

    /// <summary>Whether to ask for a checksum in each frame.</summary>
    public bool UseChecksums { get; init; }

    /// <summary>How long one attempt may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long to go on trying while there is no server.</summary>
    public TimeSpan WaitForServer { get; init; }

    /// <summary>
    /// Decides which server to trust; <see langword="null"/> for servers of the same user and of privileged users.
    /// </summary>
    public Func<SharedMemoryPeer, bool>? AuthorizeServer { get; init; }
}
