using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Platform;

/// <summary>
/// The stream between two processes over which they meet: it carries the handshake and the handles, says who the peer
/// is, and its end is the peer's end. Nothing here blocks.
/// </summary>
/// <remarks>
/// A make may stand on readiness: it asks the system each time. Or on completion: it keeps a read into a buffer of its
/// own under way and hands out what has come. The caller's buffers are nobody's concern any more when a call has
/// returned. One thread at a time receives; another may send meanwhile, or shut down.
/// </remarks>
internal abstract class ControlSocket : IDisposable
{
    public abstract SharedMemoryPeer Peer { get; }

    /// <summary>Reported by a <see cref="Poller"/> when there may be something to receive, the end among it.</summary>
    public abstract IPollSource Source { get; }

    /// <summary>Sends a whole message with copies of handles.</summary>
    /// <exception cref="EndOfStreamException">The peer is gone.</exception>
    /// <exception cref="IOException">The socket failed, or the peer has left so much unread that there is no
    /// room.</exception>
    public abstract void Send(ReadOnlySpan<byte> message, ReadOnlySpan<SafeHandle> attachments);

    /// <summary>
    /// Receives what is there. After less than 0 the <see cref="Source"/> is reported as soon as there is more.
    /// </summary>
    /// <param name="buffer">Where the bytes go.</param>
    /// <param name="attachments">
    /// Where handles go that came with them, at the latest with the message's last byte; the caller owns these.
    /// </param>
    /// <returns>How many bytes came; 0 at the end; less than 0 if there is nothing yet.</returns>
    /// <exception cref="IOException">The socket failed, or the peer sent more handles than any message has.</exception>
    public abstract int Receive(Span<byte> buffer, List<SafeHandle> attachments);

    /// <summary>Ends both directions, so that both sides see the end at once.</summary>
    public abstract void Shutdown();

    /// <summary>Ends it, with all that it has under way.</summary>
    public abstract void Dispose();
}
