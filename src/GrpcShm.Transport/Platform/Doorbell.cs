using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>
/// Wakes the reactor of another process. Each connection has two doorbells, one for each side. To ring one means "look
/// at the ring buffers", nothing more. However often a doorbell is rung before the look, it counts once.
/// </summary>
internal abstract class Doorbell : IDisposable
{
    /// <summary>The owner's <see cref="Poller"/> reports this source when the doorbell was rung.</summary>
    public abstract IPollSource Source { get; }

    /// <summary>The handle that is sent to the peer, so that the peer can ring. The doorbell still owns it.</summary>
    public abstract SafeHandle Grant { get; }

    /// <summary>Rings. Does not block, and does not fail, whatever the peer does. Any thread.</summary>
    public abstract void Ring();

    public abstract void Dispose();
}
