using GrpcShm.Transport.Calls;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Handshake;

/// <summary>What a listener grants to which clients.</summary>
internal sealed record ListenerSettings
{
    public required RendezvousSettings Rendezvous { get; init; }

    /// <summary>The ring size in bytes for clients that do not ask for a size.</summary>
    public int RingSize { get; init; } = RingSizes.Default;

    /// <summary>The largest ring in bytes that a client gets.</summary>
    public int MaxRingSize { get; init; } = RingSizes.Largest;

    /// <summary>The protocols that are allowed in the rings at the moment; asked for each client.</summary>
    public Func<ConnectionModes> Modes { get; init; } = static () => ConnectionModes.Bytes;

    /// <summary>Whether HTTP/2 is the only protocol in <see cref="ConnectionModes.Bytes"/>.</summary>
    public Func<bool> SpeaksHttp2Alone { get; init; } = static () => false;

    /// <summary>Whether frames have checksums even if the client does not ask for them.</summary>
    public bool UseChecksums { get; init; }

    /// <summary>The most calls at once on a connection in direct mode.</summary>
    public int MaxCalls { get; init; } = CallTable.MaxSlots;

    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public int MaxPendingHandshakes { get; init; } = 256;

    /// <summary>Decides which clients may connect; <see langword="null"/> for those of the same user only.</summary>
    public Func<SharedMemoryPeer, bool>? AuthorizePeer { get; init; }
}
