using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>
/// Wakes the reactor of another process. Each connection has two, one for each side; a ring means "look at your
/// rings", nothing more, and any number of rings before the look count as one.
/// </summary>
internal abstract class Doorbell : IDisposable
{
    /// <summary>Reported by the owner's <see cref="Poller"/> when it was rung.</summary>
    public abstract IPollSource Source { get; }

    /// <summary>What is handed to the peer, so that it can ring. It stays the doorbell's own.</summary>
    public abstract SafeHandle Grant { get; }

    /// <summary>Rings. Does not block, and does not fail, whatever the peer does. Any thread.</summary>
    public abstract void Ring();

    public abstract void Dispose();
}
