using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>
/// Wakes the reactor of another process. Each connection has two, one for each side; a ring means "look at your
/// rings", nothing more, and any number of rings before the look count as one.
/// </summary>
internal abstract class Doorbell : IDisposable
{
    /// <summary>What the owner's <see cref="Poller"/> waits for, and what is handed to the peer.</summary>
    public abstract SafeHandle Handle { get; }

    public abstract void Ring();

    public void Dispose() => Handle.Dispose();
}
